/* mbedtls_small_config.h -- a configuration of mbedTLS 2.28 or 3 that has what a gateway's wss needs, and nothing else.
 *
 *   -DMBEDTLS_CONFIG_FILE='"mbedtls_small_config.h"' -I device-sdk/c/port/mbedtls
 *
 * For builds of mbedTLS of your own; ESP-IDF and Zephyr have switches for the same in their menus. One ciphersuite, one
 * curve: ECDHE-ECDSA on P-256 with AES-128-GCM, which is what every gateway's key is made for. What it takes:
 * node scripts/c-tls-heap.mjs. Options: mbedtls/config.h explains each.
 */
#ifndef TG_MBEDTLS_SMALL_CONFIG_H
#define TG_MBEDTLS_SMALL_CONFIG_H

/* TLS 1.2, client, small records, resumption. What is asked for (tg_fragment) may be no larger than either length. */
#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_SSL_CLI_C
#define MBEDTLS_SSL_PROTO_TLS1_2
#define MBEDTLS_SSL_MAX_FRAGMENT_LENGTH
#define MBEDTLS_SSL_SESSION_TICKETS
#define MBEDTLS_SSL_SERVER_NAME_INDICATION
#define MBEDTLS_SSL_EXTENDED_MASTER_SECRET
#define MBEDTLS_SSL_CIPHERSUITES MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
#ifndef MBEDTLS_SSL_IN_CONTENT_LEN
#define MBEDTLS_SSL_IN_CONTENT_LEN 2048
#endif
#ifndef MBEDTLS_SSL_OUT_CONTENT_LEN
#define MBEDTLS_SSL_OUT_CONTENT_LEN 2048
#endif

#define MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA_ENABLED
#define MBEDTLS_ECP_C
#define MBEDTLS_ECDH_C
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECP_WINDOW_SIZE 2 /* less memory, more time: 2 is the least */
#define MBEDTLS_ECP_FIXED_POINT_OPTIM 0
#define MBEDTLS_ECP_NO_INTERNAL_RNG /* every secret operation of a client is given the port's random numbers */
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_MPI_MAX_SIZE 48 /* bytes of the largest number; P-256 needs 32 and a little for what is on its way */

#define MBEDTLS_AES_C
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_CIPHER_C
#define MBEDTLS_GCM_C
#define MBEDTLS_MD_C
#define MBEDTLS_SHA224_C
#define MBEDTLS_SHA256_C

/* Certificates: as PEM, from one pinned root, without revocation and without dates. */
#define MBEDTLS_X509_USE_C
#define MBEDTLS_X509_CRT_PARSE_C
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_OID_C
#define MBEDTLS_PEM_PARSE_C
#define MBEDTLS_BASE64_C

#if !defined(MBEDTLS_VERSION_MAJOR) || MBEDTLS_VERSION_MAJOR < 3
#include "mbedtls/check_config.h"
#endif

#endif
