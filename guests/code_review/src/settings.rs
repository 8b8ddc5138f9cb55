//! The flow's settings, as flow.yaml declares them; the defaults here are those of the manifest.

use millrace::Value;

pub struct Settings {
    pub trigger_phrase: String,
    /// Associations with the repository whose comments may ask.
    pub who_may_ask: Vec<String>,
    /// Also draft pull requests.
    pub drafts: bool,
    /// Empty: the host's default.
    pub model: String,
    /// The language of the model's prose.
    pub language: String,
    /// How long the model may read.
    pub time_budget_ms: i64,
    pub max_findings: usize,
    /// Globs of files that are left out.
    pub ignore: Vec<String>,
    /// What the maintainers ask reviewers to look at.
    pub guidance: String,
}

impl Settings {
    pub fn read(value: &Value) -> Settings {
        let text = |name: &str, default: &str| value[name].as_str().unwrap_or(default).to_string();
        let list = |name: &str, default: &[&str]| match &value[name] {
            Value::Array(items) => items.iter().map(|item| item.text().to_string()).collect(),
            _ => default.iter().map(|item| item.to_string()).collect::<Vec<_>>(),
        };
        let number = |name: &str, default: i64| value[name].as_i64().filter(|n| *n >= 0).unwrap_or(default);
        Settings {
            trigger_phrase: text("trigger_phrase", "/review"),
            who_may_ask: list("who_may_ask", &["OWNER", "MEMBER", "COLLABORATOR"]),
            drafts: value["drafts"].as_bool().unwrap_or(false),
            model: text("model", ""),
            language: text("language", "English"),
            time_budget_ms: number("time_budget", 300_000),
            max_findings: number("max_findings", 10) as usize,
            ignore: list("ignore", &[]),
            guidance: text("guidance", ""),
        }
    }

    pub fn ignores(&self, path: &str) -> bool {
        self.ignore.iter().any(|glob| matches(glob.as_bytes(), path.as_bytes()))
    }
}

/// Globs: `?` one character, `*` any within a folder, `**` any; `**/` also none.
fn matches(glob: &[u8], path: &[u8]) -> bool {
    match glob {
        [] => path.is_empty(),
        [b'*', b'*', b'/', rest @ ..] => {
            matches(rest, path) || (0..path.len()).any(|i| path[i] == b'/' && matches(rest, &path[i + 1..]))
        }
        [b'*', b'*', rest @ ..] => (0..=path.len()).any(|i| matches(rest, &path[i..])),
        [b'*', rest @ ..] => {
            let end = path.iter().position(|b| *b == b'/').unwrap_or(path.len());
            (0..=end).any(|i| matches(rest, &path[i..]))
        }
        [b'?', rest @ ..] => path.first().is_some_and(|b| *b != b'/') && matches(rest, &path[1..]),
        [c, rest @ ..] => path.first() == Some(c) && matches(rest, &path[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_as_people_expect() {
        for (glob, path, fits) in [
            ("vendor/**", "vendor/a/b.c", true),
            ("vendor/**", "src/vendor/a", false),
            ("**/vendor/**", "vendor/a", true),
            ("**/vendor/**", "x/vendor/a", true),
            ("**/*.min.js", "a.min.js", true),
            ("**/*.min.js", "d/e/a.min.js", true),
            ("*.js", "d/a.js", false),
            ("*.js", "a.js", true),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("", "", true),
        ] {
            assert_eq!(fits, matches(glob.as_bytes(), path.as_bytes()), "{glob} {path}");
        }
    }

    #[test]
    fn defaults_stand_in_for_what_is_not_set() {
        let settings = Settings::read(&Value::Null);
        assert_eq!(
            ("/review", 300_000, 10),
            (settings.trigger_phrase.as_str(), settings.time_budget_ms, settings.max_findings)
        );
        assert!(!settings.drafts && settings.who_may_ask.len() == 3 && !settings.ignores("a"));
    }
}
