// UnoThermometer -- an Arduino Uno, Nano or Mega with a TMP36 at A0, over USB.
//
//   reports  temperature  once a second, in degrees Celsius
//   obeys    led          {"on":true} or {"on":false}: the LED at pin 13
//
// Put the identity that `tidegate device add` prints into secrets.h. The wiring is in hardware/wiring/uno-serial.md;
// without a sensor the pin floats, and so does the temperature.
#include <Tidegate.h>

#include "secrets.h"

enum { TEMPERATURE = 1 };
enum { SET_LED = 1 };

const uint32_t INTERVAL_MS = 1000;
const float VOLTS_PER_STEP = 5.0f / 1024.0f;
const float VOLTS_AT_ZERO = 0.5f;
const float DEGREES_PER_VOLT = 100.0f;

Tidegate<> gate(Serial);
uint32_t lastReadingMs;

tg_state onCommand(TidegateClient &, const tg_command &command) {
  if (!tg_command_is(&command, SET_LED, "led")) return TG_UNSUPPORTED;
  digitalWrite(LED_BUILTIN, TidegateClient::argsContain(command, "true") ? HIGH : LOW);
  return TG_SUCCEEDED;
}

float temperature() {
  return (analogRead(A0) * VOLTS_PER_STEP - VOLTS_AT_ZERO) * DEGREES_PER_VOLT;
}

void setup() {
  Serial.begin(115200);
  pinMode(LED_BUILTIN, OUTPUT);
  gate.signal(TEMPERATURE, "temperature", TG_FLOAT, "\xC2\xB0" "C");
  gate.command(SET_LED, "led", "{\"on\":true}");
  gate.onCommand(onCommand);
  gate.begin(TIDEGATE_ID, TIDEGATE_TOKEN, "arduino-uno");
}

void loop() {
  gate.loop();
  if (millis() - lastReadingMs < INTERVAL_MS) return;
  lastReadingMs += INTERVAL_MS;
  gate.report(TEMPERATURE, temperature());
}
