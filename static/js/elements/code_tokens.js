// Source text cut into tokens for colouring. Rules of thumb, not grammars: a wrong guess costs a colour.

// Of the whole text; $ is also the end of a line.
const END = "(?![\\s\\S])"
const NUMBER = "(?<number>\\b(?:0[xXoObB][\\da-fA-F_]+|\\d[\\d_]*(?:\\.[\\d_]+)?(?:[eE][+-]?\\d+)?)\\b)"
const DOUBLE = '"(?:\\\\[\\s\\S]|[^"\\\\\\n])*(?:"|$)'
const SINGLE = "'(?:\\\\[\\s\\S]|[^'\\\\\\n])*(?:'|$)"
const NAME = "(?<name>[A-Za-z_$][\\w$]*)"
const C_COMMENT = `(?<comment>//[^\\n]*|/\\*[\\s\\S]*?(?:\\*/|${END}))`

const words = (text) => new Set(text.split(" "))

const LANGUAGES = {
  python: {
    rule: [
      "(?<comment>#[^\\n]*)",
      `(?<string>(?:\\b[rbfuRBFU]{1,2})?(?:"""[\\s\\S]*?(?:"""|${END})|'''[\\s\\S]*?(?:'''|${END})|${DOUBLE}|${SINGLE}))`,
      "(?<meta>^[ \\t]*@[\\w.]+)",
      NUMBER,
      NAME,
    ],
    keywords: words(
      "and as assert async await break case class continue def del elif else except finally for from global if import in is lambda match nonlocal not or pass raise return try while with yield",
    ),
    constants: words("True False None self cls"),
    known: words("context progress print len range open int str float list dict set tuple sorted sum min max enumerate zip"),
    opens: /:\s*(#.*)?$/,
  },
  shell: {
    rule: [
      "(?<comment>(?<=^|[\\s;])#[^\\n]*)",
      `(?<string>'[^']*(?:'|${END})|"(?:\\\\[\\s\\S]|[^"\\\\])*(?:"|${END}))`,
      "(?<meta>\\$\\{[^}\\n]*\\}|\\$[\\w@*#?$!-]+)",
      NUMBER,
      NAME,
    ],
    keywords: words("if then else elif fi for while until do done case esac in function select time return break continue exit"),
    constants: words("true false"),
    known: words("echo printf cd export local read set unset shift trap wait exec eval source test sleep"),
    opens: /(?:\b(?:then|do|else)|\{)\s*(#.*)?$/,
  },
  javascript: {
    rule: [C_COMMENT, `(?<string>${DOUBLE}|${SINGLE}|\`(?:\\\\[\\s\\S]|[^\`\\\\])*(?:\`|${END}))`, NUMBER, NAME],
    keywords: words(
      "async await break case catch class const continue debugger default delete do else export extends finally for from function if import in instanceof let new of return static switch throw try typeof var void while with yield",
    ),
    constants: words("true false null undefined this super NaN"),
    known: words("console process require module JSON Math Promise Object Array"),
    opens: /[{([]\s*(\/\/.*)?$/,
  },
  csharp: {
    rule: [
      C_COMMENT,
      `(?<string>\\$?@"(?:""|[^"])*(?:"|${END})|\\$?${DOUBLE}|${SINGLE})`,
      "(?<meta>^[ \\t]*#[^\\n]*)",
      NUMBER,
      NAME,
    ],
    keywords: words(
      "abstract as async await base break case catch checked class const continue default delegate do else enum event explicit extern finally fixed for foreach goto if implicit in interface internal is lock namespace new operator out override params private protected public readonly record ref return sealed sizeof static struct switch throw try typeof using var virtual void volatile when where while yield",
    ),
    constants: words("true false null this"),
    known: words("bool byte char decimal double float int long object string uint ulong Console List Dictionary Task"),
    opens: /[{([]\s*(\/\/.*)?$/,
  },
  generic: {
    rule: ["(?<comment>^[ \\t]*(?:#|//|--)[^\\n]*)", `(?<string>${DOUBLE}|${SINGLE})`, NUMBER, NAME],
    keywords: words(""),
    constants: words("true false null nil none"),
    known: words(""),
    opens: /[{([:]\s*$/,
  },
}

// Rules for a language by the name Taskhub gives it; the generic ones for those nobody wrote rules for.
export function language(name) {
  const found = LANGUAGES[name] ?? LANGUAGES.generic
  found.pattern ??= new RegExp(found.rule.join("|"), "gmu")
  return found
}

// [[kind, text]] that together are the source; kind is "" for what has no colour.
export function tokens(source, rules) {
  const found = []
  let position = 0
  let before = ""
  for (const match of source.matchAll(rules.pattern)) {
    if (match.index > position) found.push(["", source.slice(position, match.index)])
    found.push([kindOf(match, rules, before), match[0]])
    position = match.index + match[0].length
    before = match[0]
  }
  if (position < source.length) found.push(["", source.slice(position)])
  return found
}

function kindOf({ groups }, rules, before) {
  if (groups.name === undefined) return ["comment", "string", "number", "meta"].find((kind) => groups[kind] !== undefined) ?? ""
  if (rules.keywords.has(groups.name)) return "keyword"
  if (rules.constants.has(groups.name)) return "constant"
  if (["def", "class", "function"].includes(before)) return "defined"
  return rules.known.has(groups.name) ? "known" : ""
}
