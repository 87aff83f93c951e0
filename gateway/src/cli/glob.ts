/**
 * Patterns of `tidegate watch`, matched against `device/signal`. Edge room `cli`, pure.
 *
 *   *              everything            attic-*        every signal of devices that begin so
 *   attic-7/temp*  signals of one        * /battery     one signal of every device (without the space)
 */

/** Longest pattern, in characters. */
export const GLOB_CHARS_MAX = 256;

/** A test for `device/signal`. `*` stands for any text within a part; `?` for one character. */
export function globMatcher(pattern: string): (device: string, signal: string) => boolean {
  const slash = pattern.indexOf("/");
  const device = partMatcher(slash < 0 ? pattern : pattern.slice(0, slash));
  const signal = slash < 0 ? () => true : partMatcher(pattern.slice(slash + 1));
  return (deviceId, key) => device(deviceId) && signal(key);
}

/** Matches by walking, not by a regular expression: `*a*a*a*a*b` must not take forever. */
function partMatcher(pattern: string): (text: string) => boolean {
  return (text) => {
    let at = 0;
    let seen = 0;
    let star = -1;
    let resume = 0;
    while (seen < text.length) {
      if (pattern[at] === "*") {
        star = at++;
        resume = seen;
      } else if (pattern[at] === "?" || pattern[at] === text[seen]) {
        at++;
        seen++;
      } else if (star >= 0) {
        at = star + 1;
        seen = ++resume;
      } else {
        return false;
      }
    }
    while (pattern[at] === "*") at++;
    return at === pattern.length;
  };
}
