//! Interfaces outside the program text: fields, options, variables, routes, schemas, entries of packages.

use super::api::{is_library, say};
use super::{pattern, Report};
use crate::lang::Lang;
use crate::view::{words_of, FileView, View};

/// Names that stand in JSON, in a database or in configuration.
pub fn wire_name(file: &FileView, at: usize, announced: bool, report: &mut Report) -> bool {
    let Some(old) = file.pair_of(at) else { return false };
    let tag = pattern!(
        r#"(?:json|bson|yaml|xml|db|msgpack|form|query|toml):"([\w.-]+)(?:,[^"]*)?"|@(?:JsonProperty|SerializedName
            |SerialName|XmlElement|Column|Json)\(\s*(?:(?:name|value)\s*=\s*)?"([^"]+)"|\[(?:JsonPropertyName
            |JsonProperty|DataMember|XmlElement)\(\s*(?:\w+\s*=\s*)?"([^"]+)"|#\[serde\(.*rename\s*=\s*"([^"]+)""#
    );
    let (Some(before), Some(after)) = (tag.find(&old.live), tag.find(&file.lines[at].live)) else { return false };
    let name = |hit: &crate::pattern::Match| {
        (1..=4).map(|i| hit.group(i).to_owned()).find(|g| !g.is_empty()).unwrap_or_default()
    };
    let (was, is) = (name(&before), name(&after));
    let alias = pattern!(r"(?i)alias|AlternateNames|JsonAlias").is_match(&file.around(at, 1, 2));
    if was == is || was == "-" || alias || announced {
        return false;
    }
    let message = format!(
        "The field is written as `{is}` instead of `{was}`: those who read or send the old name, \
        and stored data, no longer match. Accept both, or keep the old one."
    );
    say(report, file, at, "renamed-field", 74, message)
}

/// Options, variables and routes that people outside type in.
pub fn named_outside(view: &View, file: &FileView, at: usize, announced: bool, report: &mut Report) -> bool {
    let Some(old) = file.pair_of(at) else { return false };
    let option = pattern!(
        r#"(?:add_argument\(|\.option\(|click\.option\(|\.Flags?\(\)\.\w+\(|flag\.\w+\(|#\[(?:arg
            |clap)\(.*long\s*=\s*|StringVar\w*\(.*?,\s*|BoolVar\w*\(.*?,\s*
            |IntVar\w*\(.*?,\s*)\s*["'](-{0,2}[\w][\w -]*)"#
    );
    let variable = pattern!(
        r#"(?:getenv\(|environ\.get\(|environ\[|process\.env\.|os\.Getenv\(|env::var\(|ENV\[|ENV\.fetch\(
            |GetEnvironmentVariable\()\s*["']?([A-Z][A-Z0-9_]{3,})"#
    );
    let route = pattern!(
        r#"(?:@(?:app|router|bp|blueprint|api)\.(?:route|get|post|put|delete|patch)\(|@(?:Get|Post|Put|Delete|Patch
            |Request)Mapping\(\s*(?:(?:value|path)\s*=\s*)?|\b(?:router|app|server|r|mux|e|group)\.(?:get|post|put
            |delete|patch|GET|POST|PUT|DELETE|PATCH|HandleFunc|Handle)\(|\[(?:Route|HttpGet|HttpPost|HttpPut
            |HttpDelete)\()\s*["'](/?[\w/{}:<>.-]+)["']"#
    );
    let now = &file.lines[at].live;
    for (kind, pattern, score) in [("option", option, 68), ("variable", variable, 60), ("route", route, 66)] {
        let (Some(before), Some(after)) = (pattern.find(&old.live), pattern.find(now)) else { continue };
        let (was, is) = (before.group(1), after.group(1));
        let still = view
            .files
            .iter()
            .filter(|f| !f.place.docs && !f.place.test)
            .flat_map(|f| &f.lines)
            .any(|l| !l.is_removed() && l.live.contains(was) && (l.is_added() || kind != "variable"));
        if was == is || still || announced || kind == "route" && was.len() < 3 {
            continue;
        }
        let message = format!(
            "The {kind} `{was}` is now `{is}`, and the old name is no longer known: scripts and \
            callers that use it break. Accept both for a while."
        );
        return say(report, file, at, "renamed-outside", score, message);
    }
    if member(file, at, announced, report) {
        return true;
    }
    let constant = pattern!(
        r"^\s*(?:(?:pub|public|export|static|final|const|let|var|readonly
            |internal)\s+)*(?:[\w<>&']+\s+)?(?:DEFAULT_\w+|default[A-Z]\w*
            |Default[A-Z]\w*)(?:\s*:\s*[\w&' <>]+)?\s*(?::=|=)\s*(-?[\d_.]+|true|false|True|False
            |['\x22][^'\x22]*['\x22])"
    );
    if let (Some(before), Some(after)) = (constant.find(&old.live), constant.find(now)) {
        if before.group(1) != after.group(1) && !announced && is_library(file) {
            let message = format!(
                "The default goes from `{}` to `{}`: whoever relied on it gets other behaviour \
                without a word. Say so in the change log, or keep it.",
                before.group(1),
                after.group(1)
            );
            return say(report, file, at, "changed-default", 58, message);
        }
    }
    false
}

/// Members of options, defaults and enumerations.
fn member(file: &FileView, at: usize, announced: bool, report: &mut Report) -> bool {
    let Some(old) = file.pair_of(at) else { return false };
    let now = &file.lines[at];
    let indent = now.indent();
    let Some(opener) = file.above(at, 40).find(|l| !l.is_blank() && l.indent() < indent) else { return false };
    if announced || !is_library(file) {
        return false;
    }
    let field = pattern!(r"^\s*(?:readonly\s+)?(\w+)(\?)?:\s*(.*?)[;,]?\s*$");
    let value = pattern!(r#"^\s*["']?(\w+)["']?\s*[:=]\s*(-?\d[\d_.]*|true|false|True|False|["'][^"']*["'])\s*,?\s*$"#);
    let given =
        pattern!(r"(?i)\b(?:interface|type)\s+\w*(?:options?|props|config|params|input|request|settings|args)\b");
    if let (Some(before), Some(after)) = (field.find(&old.live), field.find(&now.live)) {
        let same = before.group(1) == after.group(1) && before.group(3) == after.group(3);
        if file.lang == Lang::TypeScript
            && same
            && before.group(2) == "?"
            && after.group(2).is_empty()
            && given.is_match(&opener.code)
        {
            let message = format!(
                "`{}` must be given now: callers that left it out no longer build. Keep it optional.",
                after.group(1)
            );
            return say(report, file, at, "required-parameter", 64, message);
        }
    }
    let (Some(before), Some(after)) = (value.find(&old.live), value.find(&now.live)) else { return false };
    if before.group(1) != after.group(1) || before.group(2) == after.group(2) {
        return false;
    }
    if pattern!(r"\b(?:enum|IntEnum|StrEnum|Enum)\b").is_match(&opener.code) {
        let message = format!(
            "`{}` has another value now: peers and stored data that hold `{}` no longer match. Keep the value.",
            after.group(1),
            before.group(2)
        );
        return say(report, file, at, "changed-number", 66, message);
    }
    let defaults =
        pattern!(r"(?i)\bdefaults?(?:_?(?:options|config|settings|params))?\b\s*(?::\s*[\w<>\[\] ]+)?\s*[:=]");
    if defaults.is_match(&opener.code) {
        let message = format!(
            "The default of `{}` goes from `{}` to `{}`: callers that do not give it get other \
            behaviour without a word. Keep it, or raise the major version.",
            after.group(1),
            before.group(2),
            after.group(2)
        );
        return say(report, file, at, "changed-default", 64, message);
    }
    false
}

/// `__all__`, `export { … }`: a name that is no longer handed out.
pub fn list_of_exports(view: &View, file: &FileView, at: usize, announced: bool, report: &mut Report) {
    let line = &file.lines[at];
    let index = pattern!(r"(?:^|/)(?:index\.(?:js|ts|mjs|tsx)|__init__\.py|lib\.rs|mod\.ts)$").is_match(file.path);
    let exported = pattern!(
        r"^\s*export\s+(?:type\s+)?\{([^}]*)\}|^\s*export\s+\*\s+from|^\s*pub use\s+(.*);
            |^\s*from\s+\.\S*\s+import\s+(.*)|^\s*['\x22](\w+)['\x22],?\s*$"
    );
    if !index || announced {
        return;
    }
    let Some(hit) = exported.find(&line.live) else { return };
    let names = (1..=4).map(|i| hit.group(i)).find(|g| !g.is_empty()).unwrap_or("");
    let listed = !hit.group(4).is_empty();
    if listed && !file.above(at, 60).any(|l| l.code.contains("__all__")) {
        return;
    }
    let lost = words_of(names).find(|w| {
        w.len() > 2
            && !matches!(*w, "as" | "from" | "import" | "crate" | "self" | "type" | "default")
            && !w.starts_with('_')
            && !view.adds_word(w)
    });
    if let Some(name) = lost.filter(|n| n.chars().next().is_some_and(char::is_alphabetic)) {
        let message = format!(
            "`{name}` is no longer exported, so callers elsewhere no longer build. Keep the \
            export, marked as deprecated."
        );
        say(report, file, at, "lost-export", 66, message);
    }
}

/// Protocol buffers: a value of an enumeration that gets another number.
fn renumbered_value(file: &FileView, at: usize, report: &mut Report) -> bool {
    let value = pattern!(r"^\s*([A-Z][A-Z0-9_]*)\s*=\s*(\d+)\s*(?:\[.*\])?;");
    let Some(old) = value.find(&file.lines[at].code) else { return false };
    let now =
        file.lines.iter().enumerate().filter(|(_, l)| l.is_added()).find(|(_, l)| {
            value.find(&l.code).is_some_and(|n| n.group(1) == old.group(1) && n.group(2) != old.group(2))
        });
    let Some((now, _)) = now else { return false };
    let message = format!(
        "`{}` gets another number: programs of the last version read it as something else. Keep the number.",
        old.group(1)
    );
    say(report, file, now, "changed-number", 82, message)
}

/// Protocol buffers: numbers and types are what goes over the wire.
pub fn proto(file: &FileView, report: &mut Report) {
    let field = pattern!(
        r"^\s*(?:(?:optional|repeated
        |required)\s+)?([\w.<>, ]+?)\s+(\w+)\s*=\s*(\d+)\s*(?:\[.*\])?;"
    );
    let reserved = file
        .lines
        .iter()
        .filter(|l| l.is_added() && l.code.contains("reserved"))
        .map(|l| l.live.as_str())
        .collect::<String>();
    for at in 0..file.lines.len() {
        let line = &file.lines[at];
        if !line.is_gone() {
            continue;
        }
        let Some(old) = field.find(&line.code) else {
            if renumbered_value(file, at, report) {
                return;
            }
            continue;
        };
        let added: Vec<(usize, &str, &str, &str)> = file
            .lines
            .iter()
            .enumerate()
            .filter(|(_, l)| l.is_added())
            .filter_map(|(i, l)| field.find(&l.code).map(|h| (i, h.group(1), h.group(2), h.group(3))))
            .collect();
        if let Some((i, ..)) =
            added.iter().find(|(_, _, name, number)| *name == old.group(2) && *number != old.group(3))
        {
            let message = format!(
                "`{}` gets another field number: programs of the last version no longer find it, \
                or read something else. Keep the number.",
                old.group(2)
            );
            say(report, file, *i, "changed-number", 84, message);
            return;
        }
        if let Some((i, kind, ..)) = added
            .iter()
            .find(|(_, kind, name, number)| *name == old.group(2) && *number == old.group(3) && *kind != old.group(1))
        {
            let message = format!(
                "`{}` is now `{kind}` under the same number: programs of the last version read \
                its bytes as `{}`. Add a new field.",
                old.group(2),
                old.group(1)
            );
            say(report, file, *i, "changed-number", 80, message);
            return;
        }
        if let Some((i, ..)) =
            added.iter().find(|(_, _, name, number)| *name != old.group(2) && *number == old.group(3))
        {
            let same_kind = added.iter().any(|(_, kind, _, number)| *number == old.group(3) && *kind == old.group(1));
            let message = format!(
                "Field number {} was `{}` and is used again: programs of the last version read \
                one as the other. Take a new number and reserve the old one.",
                old.group(3),
                old.group(2)
            );
            say(report, file, *i, "changed-number", if same_kind { 70 } else { 82 }, message);
            return;
        }
        if !added.iter().any(|(_, _, name, _)| *name == old.group(2)) && !reserved.contains(old.group(3)) {
            let message = format!(
                "`{}` is removed and its number {} is not reserved, so it may be given to \
                something else later. Add `reserved {};`.",
                old.group(2),
                old.group(3),
                old.group(3)
            );
            say(report, file, at, "removed-field", 74, message);
            return;
        }
    }
}

/// GraphQL and OpenAPI: what callers may leave out, and what they may ask for.
pub fn schema(view: &View, file: &FileView, announced: bool, report: &mut Report) {
    if announced {
        return;
    }
    for at in 0..file.lines.len() {
        let line = &file.lines[at];
        if file.lang == Lang::GraphQl && line.is_new() {
            let field = pattern!(r"^\s*(\w+)(?:\(.*\))?\s*:\s*([\w\[\]!]+)");
            let (Some(new), Some(old)) =
                (field.find(&line.code), file.pair_of(at).and_then(|old| field.find(&old.code)))
            else {
                continue;
            };
            let input = file
                .above(at, 60)
                .find(|l| pattern!(r"^\s*(?:extend\s+)?(?:input|type|interface)\s").is_match(&l.code))
                .is_some_and(|l| l.code.contains("input"));
            let required = new.group(2).ends_with('!') && !old.group(2).ends_with('!') && input;
            let nullable = !new.group(2).ends_with('!') && old.group(2).ends_with('!') && !input;
            if new.group(1) == old.group(1) && (required || nullable) {
                let message = format!(
                    "`{}` is now {}: callers that rely on the old shape break.",
                    new.group(1),
                    if required { "required" } else { "nullable" }
                );
                say(report, file, at, "required-parameter", 66, message);
                return;
            }
        } else if file.lang == Lang::GraphQl && line.is_gone() && line.pair.is_none() {
            let field = pattern!(r"^\s+(\w+)(?:\(.*\))?\s*:\s*[\w\[\]!]+");
            if let Some(hit) = field.find(&line.code).filter(|hit| !view.adds_word(hit.group(1))) {
                let message = format!(
                    "`{}` is removed from the schema: queries that ask for it fail. Mark it `@deprecated` first.",
                    hit.group(1)
                );
                say(report, file, at, "removed-field", 64, message);
                return;
            }
        } else if line.is_new()
            && file.lang != Lang::GraphQl
            && pattern!(r"^\s*\x22?required\x22?\s*:\s*true").is_match(&line.live)
        {
            if file.pair_of(at).is_some_and(|old| old.live.contains("false")) {
                say(
                    report,
                    file,
                    at,
                    "required-parameter",
                    70,
                    "Callers that leave this out are now refused. Keep it optional.".to_owned(),
                );
                return;
            }
        }
    }
}

/// package.json: the ways in.
pub fn package(file: &FileView, announced: bool, report: &mut Report) {
    if announced || file.is_new_file() {
        return;
    }
    let own = file.lines.iter().any(|l| l.text().contains("\"private\": true"));
    for at in 0..file.lines.len() {
        let line = &file.lines[at];
        if line.is_new() && pattern!(r#"^\s{0,4}"type"\s*:\s*"module""#).is_match(line.text()) && !own {
            say(
                report,
                file,
                at,
                "changed-entry",
                66,
                "The package can no longer be loaded by `require`. Offer \
                both forms by `exports`, or raise the major version."
                    .to_owned(),
            );
            return;
        }
        let entry = pattern!(r#"^\s*"(\./[\w./*-]+)"\s*:\s*[{"]"#);
        if line.is_gone() && line.pair.is_none() && !own {
            if let Some(hit) =
                entry.find(line.text()).filter(|_| file.above(at, 40).any(|l| l.text().contains("\"exports\"")))
            {
                let message = format!(
                    "`{}` can no longer be imported from this package. Keep the entry, or raise the major version.",
                    hit.group(1)
                );
                say(report, file, at, "changed-entry", 66, message);
                return;
            }
        }
    }
}
