/* Tidegate.cpp -- see Tidegate.h. A port of the C edition over Stream, and the calls that put C++ names on it. */
#include "Tidegate.h"

#include <string.h>

/* Polls per loop(): at most so many times 500 us on a 16 MHz AVR. */
static const uint8_t STEPS_PER_LOOP = 4;

static tg_span spanOf(const char *text) {
  tg_span span;
  span.ptr = reinterpret_cast<const uint8_t *>(text);
  span.len = static_cast<uint16_t>(strlen(text));
  return span;
}

TidegateClient::TidegateClient(Stream &line, const TidegateBuffers &buffers)
    : tg_client(), _line(line), _onCommand(nullptr), _onEvent(nullptr), _catalog(), _port(), _config(), _random(0) {
  _config.rx = buffers.rx;
  _config.rx_bytes = buffers.rxBytes;
  _config.tx = buffers.tx;
  _config.tx_bytes = buffers.txBytes;
  _config.ring = buffers.ring;
  _config.ring_bytes = buffers.ringBytes;
  (void)tg_catalog_begin(&_catalog, buffers.catalog, buffers.catalogBytes);
}

bool TidegateClient::signal(uint8_t id, const char *key, tg_type type, const char *unit, tg_kind kind) {
  tg_signal signal = tg_signal();
  signal.id = id;
  signal.key = key;
  signal.type = type;
  signal.unit = unit;
  signal.kind = kind;
  return tg_catalog_signal(&_catalog, &signal) == TG_OK;
}

bool TidegateClient::command(uint8_t code, const char *name, const char *argsHint) {
  tg_command_spec spec = tg_command_spec();
  spec.code = code;
  spec.name = name;
  spec.args_hint = argsHint;
  return tg_catalog_command(&_catalog, &spec) == TG_OK;
}

tg_err TidegateClient::begin(const char *deviceId, const char *token, const char *model) {
  seed(deviceId);
  _port.open = openLine;
  _port.send = sendLine;
  _port.recv = recvLine;
  _port.close = closeLine;
  _port.now_ms = nowMs;
  _port.entropy = entropy;
  _port.ctx = this;
  _config.port = &_port;
  _config.framing = tg_serial_framing;
  _config.device_id = spanOf(deviceId);
  _config.token = spanOf(token);
  _config.model = spanOf(model);
  _config.firmware = spanOf(TG_VERSION);
  _config.catalog = tg_catalog_end(&_catalog);
  _config.send_catalog = _config.catalog.len > 0 ? tg_send_catalog : nullptr;
  _config.on_command = takeCommand;
  _config.on_event = takeEvent;
  if (_catalog.failed) return TG_ERR_NO_SPACE;
  return tg_init(this, &_config);
}

uint32_t TidegateClient::loop() {
  uint32_t waitMs = 0;
  for (uint8_t i = 0; i < STEPS_PER_LOOP && waitMs == 0; i++) waitMs = tg_poll(this);
  return waitMs;
}

void TidegateClient::wait(uint32_t ms) {
  const uint32_t start = millis();
  do {
    (void)loop();
    yield();
  } while (millis() - start < ms);
}

tg_err TidegateClient::report(uint8_t signal, float value) {
  return TidegateReport(*this).add(signal, value).send();
}

tg_err TidegateClient::report(uint8_t signal, int32_t value) {
  return TidegateReport(*this).add(signal, value).send();
}

tg_err TidegateClient::report(uint8_t signal, bool value) {
  return TidegateReport(*this).add(signal, value).send();
}

tg_err TidegateClient::reply(const tg_command &command, tg_state state, const char *result) {
  return tg_reply(this, command.id, state, spanOf(result));
}

tg_err TidegateClient::log(uint8_t level, const char *text) {
  uint8_t scratch[96];
  tg_log_line line;
  line.level = level;
  line.text = spanOf(text);
  if (line.text.len > 80) line.text.len = 80;
  return tg_log(this, &line, scratch, sizeof scratch);
}

bool TidegateClient::argsContain(const tg_command &command, const char *text) {
  const size_t n = strlen(text);
  for (uint16_t at = 0; at + n <= command.args.len; at++) {
    if (memcmp(command.args.ptr + at, text, n) == 0) return true;
  }
  return false;
}

int16_t TidegateClient::openLine(void *ctx) {
  Stream &line = static_cast<TidegateClient *>(ctx)->_line;
  for (uint8_t i = 0; i < 255 && line.available() > 0; i++) (void)line.read();
  return 1;
}

int16_t TidegateClient::sendLine(void *ctx, const uint8_t *p, uint16_t n) {
  Stream &line = static_cast<TidegateClient *>(ctx)->_line;
  const int room = line.availableForWrite();
  if (room <= 0) return 0;
  return static_cast<int16_t>(line.write(p, n < static_cast<uint16_t>(room) ? n : static_cast<uint16_t>(room)));
}

int16_t TidegateClient::recvLine(void *ctx, uint8_t *p, uint16_t cap) {
  Stream &line = static_cast<TidegateClient *>(ctx)->_line;
  uint16_t n = 0;
  while (n < cap && line.available() > 0) p[n++] = static_cast<uint8_t>(line.read());
  return static_cast<int16_t>(n);
}

void TidegateClient::closeLine(void *ctx) {
  (void)ctx;
}

uint32_t TidegateClient::nowMs(void *ctx) {
  (void)ctx;
  return millis();
}

uint32_t TidegateClient::entropy(void *ctx) {
  TidegateClient *self = static_cast<TidegateClient *>(ctx);
  self->stir(micros());
  return self->_random;
}

#if defined(__AVR__)
/* What the RAM held: noise after power-on, the last count after a reset. */
static uint32_t boots __attribute__((section(".noinit")));
#endif

/* By whole bytes and sums, which take an 8-bit core few instructions; the constant keeps it from standing still. */
__attribute__((noinline)) void TidegateClient::stir(uint32_t bits) {
  _random = (_random << 8 | _random >> 24) + bits + 0x9E3779B9u;
}

/* No two boards, and no two boots of one, should draw alike: the name, the chip's noise, the time since power-on. */
void TidegateClient::seed(const char *deviceId) {
  while (*deviceId != 0) stir(static_cast<uint8_t>(*deviceId++));
#if defined(ESP32)
  stir(esp_random());
#elif defined(ESP8266)
  stir(RANDOM_REG32);
#elif defined(__AVR__)
  stir(++boots);
#endif
#if defined(PIN_A0) /* the lowest bits of a measurement are noise */
  for (uint8_t i = 0; i < 16; i++) stir(static_cast<uint16_t>(analogRead(PIN_A0)));
#endif
}

tg_state TidegateClient::takeCommand(tg_client *client, const tg_command *command) {
  TidegateClient &self = *static_cast<TidegateClient *>(client);
  return self._onCommand != nullptr ? self._onCommand(self, *command) : TG_UNSUPPORTED;
}

void TidegateClient::takeEvent(tg_client *client, tg_event event, uint32_t arg) {
  TidegateClient &self = *static_cast<TidegateClient *>(client);
  if (self._onEvent != nullptr) self._onEvent(self, event, arg);
}

TidegateReport::TidegateReport(TidegateClient &device) : _device(device), _writer() {
  (void)tg_telemetry_begin(&_device, &_writer, _scratch, sizeof _scratch);
}

TidegateReport &TidegateReport::add(uint8_t signal, float value) {
  (void)tg_put_f32(&_writer, signal, value);
  return *this;
}

TidegateReport &TidegateReport::add(uint8_t signal, int32_t value) {
  (void)tg_put_i32(&_writer, signal, value);
  return *this;
}

TidegateReport &TidegateReport::add(uint8_t signal, bool value) {
  (void)tg_put_bool(&_writer, signal, value);
  return *this;
}

tg_err TidegateReport::send() {
  return tg_telemetry_end(&_device, &_writer);
}
