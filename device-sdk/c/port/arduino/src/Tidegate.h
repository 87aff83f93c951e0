/* Tidegate.h -- the Tidegate device SDK for Arduino: a class around the C edition, for any Stream with a line behind.
 *
 *   #include <Tidegate.h>
 *   Tidegate<> gate(Serial);                       // rx, tx, ring and catalog inside; sizes are template arguments
 *
 *   void setup() {
 *     Serial.begin(115200);
 *     gate.signal(1, "temperature", TG_FLOAT, "\xC2\xB0" "C");
 *     gate.begin("uno-1", "token from `tidegate device add`");
 *   }
 *   void loop() {
 *     gate.loop();                                 // never blocks
 *     if (everySecond()) gate.report(1, readSensor());
 *   }
 *
 * Readings wait in the ring until the gateway has them on disk. Call loop() as often as you can and use wait() in place
 * of delay(): the serial buffer holds 64 bytes, 5 ms at 115200 baud; what overruns it is sent again, but slowly.
 * Nothing else may print on this Stream after begin(); use log(). Not for interrupts.
 */
#ifndef TIDEGATE_ARDUINO_H
#define TIDEGATE_ARDUINO_H

#include <Arduino.h>

#include "core/tidegate.h"

/* The memory of one device; see tg_config for what the sizes mean. Yours only through Tidegate<>. */
struct TidegateBuffers {
  uint8_t *rx;
  uint8_t *tx;
  uint8_t *ring;
  uint8_t *catalog;
  uint16_t rxBytes;
  uint16_t txBytes;
  uint16_t ringBytes;
  uint16_t catalogBytes;
};

/* Everything but the memory: use Tidegate<>, and take this type by reference. */
class TidegateClient : private tg_client {
public:
  /* Runs a command; see tg_config::on_command. Return a final state, or TG_RECEIVED after or before reply(). */
  typedef tg_state (*CommandHandler)(TidegateClient &device, const tg_command &command);
  /* Told what happens; see tg_event. */
  typedef void (*EventHandler)(TidegateClient &device, tg_event event, uint32_t arg);

  /* Describes a signal, before begin(). `key` is what dashboards show; see tg_signal. False: no room in the catalog. */
  bool signal(uint8_t id, const char *key, tg_type type, const char *unit = nullptr, tg_kind kind = TG_MEASUREMENT);
  /* Describes a command, before begin(). `argsHint` is for people, such as {"on":true}. */
  bool command(uint8_t code, const char *name, const char *argsHint = nullptr);

  void onCommand(CommandHandler handler) { _onCommand = handler; }
  void onEvent(EventHandler handler) { _onEvent = handler; }

  /* Starts. Both strings are kept by reference; an empty token is for lines that the gateway trusts.
   * Returns TG_OK, or what tg_init() says: the buffers are too small for the catalog or the names. */
  tg_err begin(const char *deviceId, const char *token, const char *model = "arduino");

  /* A few bounded steps; returns milliseconds until it must run again, sooner when bytes arrive. */
  uint32_t loop();
  /* delay() that keeps the line alive. */
  void wait(uint32_t ms);

  /* One reading, in a message of its own, taken now. Returns as tg_telemetry_end(). */
  tg_err report(uint8_t signal, float value);
  tg_err report(uint8_t signal, double value) { return report(signal, (float)value); }
  tg_err report(uint8_t signal, int32_t value);
  tg_err report(uint8_t signal, int value) { return report(signal, (int32_t)value); }
  tg_err report(uint8_t signal, bool value);

  /* Answers a command, now or later; see tg_reply(). `result` is JSON, copied. */
  tg_err reply(const tg_command &command, tg_state state, const char *result = "");
  /* A line for the gateway's log, at most 80 bytes of it; level as in RFC 5424: 3 error, 4 warning, 6 information. */
  tg_err log(uint8_t level, const char *text);

  bool online() const { return tg_get_phase(this) == TG_ONLINE; }
  const tg_stats &stats() const { return *tg_get_stats(this); }

  /* Whether the arguments of a command contain this text: a crude but small way to read {"on":true}. */
  static bool argsContain(const tg_command &command, const char *text);

protected:
  TidegateClient(Stream &line, const TidegateBuffers &buffers);

private:
  friend class TidegateReport;
  static int16_t openLine(void *ctx);
  static int16_t sendLine(void *ctx, const uint8_t *p, uint16_t n);
  static int16_t recvLine(void *ctx, uint8_t *p, uint16_t cap);
  static void closeLine(void *ctx);
  static uint32_t nowMs(void *ctx);
  static uint32_t entropy(void *ctx);
  static tg_state takeCommand(tg_client *client, const tg_command *command);
  static void takeEvent(tg_client *client, tg_event event, uint32_t arg);
  void stir(uint32_t bits);
  void seed(const char *deviceId);

  Stream &_line;
  CommandHandler _onCommand;
  EventHandler _onEvent;
  tg_writer _catalog;
  tg_port _port;
  tg_config _config;
  uint32_t _random;
};

/* Several readings in one message, with one time:
 *   TidegateReport report(gate);
 *   report.add(TEMPERATURE, 21.5f).add(HUMIDITY, 47);
 *   report.send(); */
class TidegateReport {
public:
  explicit TidegateReport(TidegateClient &device);
  TidegateReport &add(uint8_t signal, float value);
  TidegateReport &add(uint8_t signal, double value) { return add(signal, (float)value); }
  TidegateReport &add(uint8_t signal, int32_t value);
  TidegateReport &add(uint8_t signal, int value) { return add(signal, (int32_t)value); }
  TidegateReport &add(uint8_t signal, bool value);
  /* Queues it. TG_ERR_NO_SPACE: more than about four readings, make two messages; else as tg_telemetry_end(). */
  tg_err send();

private:
  TidegateClient &_device;
  tg_writer _writer;
  uint8_t _scratch[64];
};

/* One device with its memory. The defaults fit an Uno; a larger RING keeps more readings while the gateway is away, at
 * most 65535 bytes. A reading takes about 20 bytes of it. */
template <uint16_t RING = 384, uint16_t RX = 96, uint16_t TX = 176, uint16_t CATALOG = 128>
class Tidegate : public TidegateClient {
public:
  /* `line` must be open when begin() is called, and needs availableForWrite(), as HardwareSerial has it. */
  explicit Tidegate(Stream &line)
      : TidegateClient(line, TidegateBuffers{_rx, _tx, _ring, _catalogBytes, RX, TX, RING, CATALOG}) {}

private:
  uint8_t _rx[RX];
  uint8_t _tx[TX];
  uint8_t _ring[RING];
  uint8_t _catalogBytes[CATALOG];
};

#endif
