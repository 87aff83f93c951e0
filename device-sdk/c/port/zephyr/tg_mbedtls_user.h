/* tg_mbedtls_user.h -- what port/mbedtls wants of mbedTLS and Zephyr's Kconfig has no switch for in every release.
 * Named by CONFIG_MBEDTLS_USER_CONFIG_FILE; read at the end of Zephyr's own configuration. */
#ifndef MBEDTLS_SSL_MAX_FRAGMENT_LENGTH
#define MBEDTLS_SSL_MAX_FRAGMENT_LENGTH
#endif
#ifndef MBEDTLS_SSL_SESSION_TICKETS
#define MBEDTLS_SSL_SESSION_TICKETS
#endif
#ifndef MBEDTLS_SSL_SERVER_NAME_INDICATION
#define MBEDTLS_SSL_SERVER_NAME_INDICATION
#endif
