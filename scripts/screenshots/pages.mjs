// Every page, how to get there, and what has to stand on it before the picture is taken.

const seen = (text) => async (page) => {
  await page.getByText(text).first().waitFor();
};
const charts = (count) => async (page) => {
  await page
    .locator(".figure canvas")
    .nth(count - 1)
    .waitFor();
  await page.waitForTimeout(1500);
};
/** The sparkline of the rate begins when the page is opened. */
const RATES_MS = 40_000;
const of = (part) => `#/devices/greenhouse-2${part}`;
const SIGNALS = "greenhouse-1/temperature,greenhouse-2/temperature,greenhouse-2/humidity";

export const PAGES = [
  {
    name: "login",
    isLoggedOut: true,
    prepare: async (page, stage) => {
      await page.goto(`${stage.url}/login`);
      await page.getByLabel("Administrator password").waitFor();
    },
  },
  { name: "welcome", hash: "#/welcome", prepare: seen("Welcome to") },
  {
    name: "overview",
    hash: "#/overview",
    prepare: async (page, stage) => {
      await stage.ask("PUT", "/api/v1/password", { password: "correct horse battery staple" });
      await page.goto(await stage.loginLink());
      await page.getByText("Offline:").waitFor();
      await page.getByText("paused").first().waitFor();
      await page.waitForTimeout(RATES_MS);
    },
  },
  { name: "devices", hash: "#/devices", prepare: seen("Pump house") },
  { name: "device-live", hash: of(""), prepare: seen("Controls") },
  { name: "device-charts", hash: of("/charts?range=1d"), prepare: charts(7) },
  { name: "device-charts-5min", hash: of("/charts?range=5m"), prepare: charts(7) },
  { name: "device-charts-30d", hash: of("/charts?range=30d"), prepare: charts(7) },
  { name: "device-signals", hash: of("/signals"), prepare: seen("Setpoint") },
  { name: "device-commands", hash: "#/devices/greenhouse-1/commands", prepare: seen("the valve is stuck") },
  { name: "device-log", hash: "#/devices/weather-mast/log", prepare: seen("missing") },
  { name: "device-settings", hash: of("/settings"), prepare: seen("Forget") },
  { name: "explore-empty", hash: "#/explore", prepare: seen("Pick signals above") },
  { name: "explore", hash: `#/explore?signals=${SIGNALS}&range=1d`, prepare: charts(1) },
  { name: "sinks", hash: "#/sinks", prepare: seen("paused by you") },
  { name: "gaps", hash: "#/gaps", prepare: seen("no room left") },
  { name: "serial", hash: "#/serial", prepare: seen("not open, tries again") },
  { name: "logs", hash: "#/logs", prepare: seen("serial line not open") },
  { name: "settings", hash: "#/settings", prepare: seen("gateway.id") },
  {
    name: "lost",
    hash: "#/overview",
    prepare: async (page, stage) => {
      await page.getByText("Offline:").waitFor();
      await stage.kill();
      await page.getByText("Connection lost").waitFor();
    },
  },
];
