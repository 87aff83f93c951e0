// Where a rule of tidy does not apply, each with its reason. An exception that is no longer needed is an error, so this
// list can only be as long as the truth.
//
//   rule      the rule's name          path   exact path of the file
//   contains  optional: only problems whose message contains this

/** @type {{ rule: string, path: string, contains?: string, reason: string }[]} */
export const EXCEPTIONS = [];
