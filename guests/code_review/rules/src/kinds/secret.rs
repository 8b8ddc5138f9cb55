//! Credentials written into files: tokens of a known shape, credentials in URLs and connection strings, and values
//! that are random enough under a name that says secret.

use super::secret_name::{
    is_algorithm, is_key, is_key_name, is_reference, is_secret_name, is_weak, is_weak_reference, plausible,
};
use super::{pattern, Report};
use crate::finding::{Kind, Severity};
use crate::lang::Lang;
use crate::mask::{is_filler, known_shape, looks_secret};
use crate::view::{FileView, Source, View};

const ADVICE: &str =
    "Remove it from the change, revoke it (it stays in the history) and read it from the environment or a \
                      secret store.";

pub fn find(view: &View, report: &mut Report) {
    for file in &view.files {
        let place = file.place;
        if place.vendored || place.lock || place.generated || file.is_deleted_file() || is_encrypted(file) {
            continue;
        }
        for (at, source) in file.lines.iter().enumerate().filter(|(_, l)| l.is_added() && !l.moved) {
            let Some(hit) = look(file, at, source) else { continue };
            if place.is_harmless() && !hit.certain {
                continue;
            }
            if was_there(file, view, &hit.value) {
                continue;
            }
            let lost = file.pair_of(at).is_some_and(|old| reads_from_outside(&old.live));
            let score = hit.score + if lost { 8 } else { 0 } - if place.is_harmless() { 30 } else { 0 };
            let message = format!("{} is written into {}. {ADVICE}", hit.what, file.path);
            report.add(file, at, Kind::Secret, hit.rule, Severity::Critical, score, message);
        }
    }
}

struct Hit {
    rule: &'static str,
    what: String,
    value: String,
    score: u32,
    /// Known by its shape: worth saying in tests and documents too.
    certain: bool,
}

fn look(file: &FileView, at: usize, source: &Source) -> Option<Hit> {
    let text = source.text();
    let text = if source.live.is_empty() { text.get(..text.len().min(4000)).unwrap_or("") } else { text };
    if let Some((shape, from, to)) = known_shape(text) {
        let key = shape.name == "private key";
        // A marker in code that reads keys is no key: the key's own lines follow it.
        if !(key && file.lang.is_code() && !key_follows(file, at, text)) {
            let certain = !key && shape.name != "JSON web token" && !text.contains("_test_");
            let article = if shape.name.starts_with(['A', 'O', 'a']) { "An" } else { "A" };
            let what = format!("{article} {}", shape.name);
            return Some(Hit { rule: "known-token", what, value: text[from..to].to_owned(), score: 95, certain });
        }
    }
    if source.live.trim().is_empty() {
        return None;
    }
    in_url(&source.live)
        .or_else(|| in_connection_string(&source.live))
        .or_else(|| in_string(file, at, source))
        .or_else(|| in_command(file.lang, &source.live))
        .or_else(|| unquoted(file, at, &source.live))
}

fn key_follows(file: &FileView, at: usize, text: &str) -> bool {
    let body = pattern!(r"[A-Za-z0-9+/]{40,}");
    body.is_match(text.rsplit("-----").next().unwrap_or("")) || file.below(at, 3).any(|l| body.is_match(l.text()))
}

fn in_url(live: &str) -> Option<Hit> {
    if !live.contains("://") {
        return None;
    }
    let url = pattern!(r#"\b[a-z][a-z0-9+.-]*://([^\s/:@"'`<>]*):([^\s/@"'`<>]+)@([\w.\[-]+)"#);
    let hit = url.find(live)?;
    let (user, password, host) = (hit.group(1), hit.group(2), hit.group(3));
    let local =
        ["localhost", "127.0.0.1", "0.0.0.0", "db", "postgres", "mysql", "redis", "mongo", "rabbitmq", "host", "["];
    let variable = |part: &str| part.contains(['$', '{', '%', '*']) || part.starts_with(':');
    if variable(password) || variable(user) || local.contains(&host) || is_filler(password) || is_weak(user, password) {
        return None;
    }
    let what = format!("A URL with the password of `{}`", if user.is_empty() { "a user" } else { user });
    Some(Hit { rule: "credentials-in-url", what, value: password.to_owned(), score: 86, certain: false })
}

fn in_connection_string(live: &str) -> Option<Hit> {
    let name = pattern!(r#"(?i)(?:^|[;"'\s])(?:password|pwd)\s*=\s*([^;"'\s]{4,})\s*(?:;|["']|$)"#);
    let hit = name.find(live)?;
    let others = pattern!(r"(?i)(?:server|host|data source|user id|uid|username|user|database|dbname)\s*=");
    let value = hit.group(1);
    let nothing = pattern!(r"(?i)^(?:none|null|nil|undefined|true|false|self|str|string)[,)]?$").is_match(value);
    let variable = nothing || value.contains(['$', '{', '%', '(', '<']);
    if variable || !others.is_match(live) || is_filler(value) || is_weak("", value) || live.contains("localhost") {
        return None;
    }
    let what = "A connection string with its password".to_owned();
    Some(Hit { rule: "password-in-connection-string", what, value: value.to_owned(), score: 88, certain: false })
}

/// A string literal that is given to something named like a secret.
fn in_string(file: &FileView, at: usize, source: &Source) -> Option<Hit> {
    for quoted in &source.strings {
        let value = source.string(quoted);
        if value.len() < 6 || value.len() > 512 || is_reference(value) || is_filler(value) {
            continue;
        }
        let before = source.text().get(..quoted.start.saturating_sub(1)).unwrap_or("");
        let auth = pattern!(r"(?i)^(?:authorization:\s*)?(?:bearer|basic|token)\s+([A-Za-z0-9._~+/=-]{16,})$");
        if let Some(hit) = auth.find(value).filter(|hit| looks_secret(hit.group(1))) {
            let what = "An Authorization header with its token".to_owned();
            return Some(Hit { rule: "named-secret", what, value: hit.group(1).to_owned(), score: 84, certain: false });
        }
        if let Some(name) = fallback_name(before).filter(|name| is_secret_name(name)) {
            if !value.contains(' ') && !is_weak_reference(&name, value) {
                let what = format!("A default for the secret `{name}`");
                let score = if looks_secret(value) { 84 } else { 62 };
                return Some(Hit { rule: "secret-default", what, value: value.to_owned(), score, certain: false });
            }
        }
        let signs = pattern!(
            r"(?:\b(?:jwt|JWT|jsonwebtoken)\.(?:sign|verify|encode|decode)\([^)]*,\s*
                |createHmac\(\s*['\x22]\w+['\x22],\s*|hmac\.new\(\s*b?|HMAC(?:SHA\d+)?\([^)]*
                |hash_hmac\([^,]+,[^,]+,\s*|Fernet\(\s*b?|hmac\.New\([\w.]+,\s*\[\]byte\(|SecretKeySpec\(\s*
                |SymmetricSecurityKey\([^)]*)$"
        );
        if signs.is_match(before) && value.len() >= 6 && !value.contains(' ') && !is_algorithm(value) {
            let what = "The key that signs".to_owned();
            return Some(Hit { rule: "secret-in-call", what, value: value.to_owned(), score: 72, certain: false });
        }
        let given = given_name(file, at, before).or_else(|| listed_under(file, at, before));
        if let Some(name) = given.clone().filter(|name| is_key_name(name) && is_key(value)) {
            let what = format!("The key `{name}`");
            return Some(Hit { rule: "named-secret", what, value: value.to_owned(), score: 80, certain: false });
        }
        let Some(name) = given.filter(|name| is_secret_name(name)) else { continue };
        if let Some(score) = plausible(&name, value) {
            let what = format!("The value of the secret `{name}`");
            return Some(Hit { rule: "named-secret", what, value: value.to_owned(), score, certain: false });
        }
    }
    None
}

/// The name a literal is assigned or passed to, from the text before its opening quote.
fn given_name(file: &FileView, at: usize, before: &str) -> Option<String> {
    let assigned = pattern!(
        r#"([\w$.-]+)["'`\])]*\s*(?::\s*[\w<>\[\]&'?. ]+)?\s*(?:=>|:=|\?=|\+=|=|:)\s*(?:[@$&frbuLR]|new \w+\()*$"#
    );
    let command = pattern!(r"^\s*([A-Za-z_]\w*)\s+$");
    let called = pattern!(r"([A-Za-z_][\w]*)\(\s*$");
    let second =
        pattern!(r#"(?:set|put|add|header|env|setProperty|setenv|Add|Set|define)\(\s*["']([\w.-]+)["']\s*,\s*$"#);
    let login = pattern!(
        r#"(?i)(?:NetworkCredential|\.login|authenticate|PasswordAuthentication|basic_?auth|HTTPBasicAuth
            |UsernamePasswordCredentials|\bauth\s*=\s*)\(\s*["'][^"']*["']\s*,\s*$"#
    );
    if login.is_match(before) {
        return Some("password".to_owned());
    }
    let name = second
        .find(before)
        .or_else(|| assigned.find(before))
        .or_else(|| command.find(before).filter(|_| matches!(file.lang, Lang::Groovy | Lang::Ruby)))
        .map(|hit| hit.group(1).to_owned())
        .or_else(|| {
            let name = called.find(before)?.group(1);
            let lower = name.to_ascii_lowercase();
            ["password", "secret", "token", "apikey", "credentials"]
                .iter()
                .any(|w| lower.ends_with(w))
                .then(|| name.to_owned())
        })?;
    let last = name.rsplit(['.', '$']).next().unwrap_or(&name);
    if !matches!(last, "default" | "value" | "Value" | "defaultValue") {
        return Some(last.to_owned());
    }
    outer_name(file, at, before)
}

/// The name of the list that a literal standing alone on its line belongs to.
fn listed_under(file: &FileView, at: usize, before: &str) -> Option<String> {
    if !before.trim().is_empty() {
        return None;
    }
    let indent = file.lines[at].indent();
    let opener = file.above(at, 12).find(|l| !l.is_blank() && l.indent() < indent)?;
    let named = pattern!(
        r#"([A-Za-z_][\w.-]*)["']?\s*(?::\s*[\w<>\[\]&'?. ]+)?\s*(?:=>|:=|=|:)\s*(?:[\w.:<>]*[\[({]|\w+!?\[)\s*$"#
    );
    named.find(&opener.live).map(|hit| hit.group(1).to_owned())
}

/// The name that `default = …` or `value: …` belongs to: of the variable block, the list entry, or the same line.
fn outer_name(file: &FileView, at: usize, before: &str) -> Option<String> {
    let here = pattern!(r#"(?:name|key)["']?\s*[:=]\s*["']?([\w.-]+)"#);
    let block = pattern!(r#"(?:variable|output|parameter)\s+"([\w-]+)"|(?:name|key)["']?\s*[:=]\s*["']?([\w.-]+)"#);
    if let Some(hit) = here.find(before) {
        return Some(hit.group(1).to_owned());
    }
    let hit =
        file.above(at, 6).find_map(|l| block.find(&l.live).map(|h| (h.group(1).to_owned(), h.group(2).to_owned())))?;
    Some(if hit.0.is_empty() { hit.1 } else { hit.0 })
}

/// The variable whose absence a literal stands in for: `getenv("X", "`, `process.env.X || "`, `ENV["X"] || "`.
fn fallback_name(before: &str) -> Option<String> {
    let call = pattern!(
        r#"(?:getenv|environ\.get|env\.get|ENV\.fetch|env|config|Getenv\w*|getEnv\w*|get_env
            |get)\(\s*["']([\w.-]+)["']\s*,\s*(?:default\s*=\s*)?$"#
    );
    let or = pattern!(
        r#"(?:env\.|ENV\[["']|env\[["']|getenv\(["']|GetEnvironmentVariable\(["'])(\w+)["'\])]*\s*(?:\|\||\?\?|\?:
            |or)\s*$"#
    );
    call.find(before).or_else(|| or.find(before)).map(|hit| hit.group(1).to_owned())
}

fn in_command(lang: Lang, live: &str) -> Option<Hit> {
    let flag = pattern!(
        r#"--?(?:password|passwd|token|api-key|apikey|secret|secret-key|access-token)[= ]["']?([^\s"'$<{]{6,})"#
    );
    let user = pattern!(r#"\bcurl\b.*\s(?:-u|--user)[= ]?["']?([\w.@-]+):([^\s"'$<{]{6,})"#);
    let pass = pattern!(r#"\bsshpass\s+-p\s*["']?([^\s"'$<{]{4,})"#);
    let password = pattern!(r#"\bmysql(?:dump|admin)?\b.*\s-p["']?([^\s"'$<{]{6,})"#);
    if !matches!(
        lang,
        Lang::Shell | Lang::Yaml | Lang::Dockerfile | Lang::Make | Lang::Python | Lang::Ruby | Lang::Groovy
    ) {
        return None;
    }
    let value = if let Some(hit) = user.find(live) {
        hit.group(2)
    } else if let Some(hit) = pass.find(live) {
        hit.group(1)
    } else if let Some(hit) = password.find(live) {
        hit.group(1)
    } else {
        flag.find(live).map(|hit| hit.group(1)).filter(|value| looks_secret(value))?
    };
    if is_filler(value) || is_reference(value) || is_weak("", value) {
        return None;
    }
    let what = "A password on a command line".to_owned();
    Some(Hit { rule: "password-on-command-line", what, value: value.to_owned(), score: 80, certain: false })
}

/// `NAME=value` and `name: value` without quotes, in files that are written so.
fn unquoted(file: &FileView, at: usize, live: &str) -> Option<Hit> {
    let written = matches!(
        file.lang,
        Lang::Ini | Lang::Yaml | Lang::Dockerfile | Lang::Shell | Lang::Xml | Lang::Toml | Lang::Other
    );
    if !written {
        return None;
    }
    let line =
        pattern!(r#"^\s*(?:-\s+)?(?:export\s+|ENV\s+|ARG\s+|set\s+)?(?://\S+:)?([\w.-]+)\s*[=:]\s*([^\s"'`]+)\s*$"#);
    let element = pattern!(r"<([\w.-]+)>([^<>\s]{6,})</");
    let hit = line.find(live).or_else(|| element.find(live).filter(|_| file.lang == Lang::Xml))?;
    let (mut name, value) = (hit.group(1).to_owned(), hit.group(2));
    if matches!(name.as_str(), "value" | "default") {
        name = outer_name(file, at, "")?;
    }
    let name = name.rsplit('.').next().unwrap_or(&name).to_owned();
    if !is_secret_name(&name) || value.len() < 6 || is_filler(value) || value.contains(['(', '{', '$', '<', '[']) {
        return None;
    }
    let score = plausible(&name, value)?;
    let what = format!("The value of the secret `{name}`");
    Some(Hit { rule: "named-secret", what, value: value.to_owned(), score, certain: false })
}

fn is_encrypted(file: &FileView) -> bool {
    file.lines.iter().any(|l| {
        let text = l.text();
        text.contains("$ANSIBLE_VAULT") || text.contains("ENC[AES") || text.contains("kind: SealedSecret")
    })
}

/// The value stood in the file, or anywhere in the removed lines, before.
fn was_there(file: &FileView, view: &View, value: &str) -> bool {
    file.lines.iter().filter(|l| !l.is_added()).any(|l| l.text().contains(value))
        || view.files.iter().flat_map(|f| &f.lines).any(|l| l.is_removed() && l.text().contains(value))
}

fn reads_from_outside(live: &str) -> bool {
    let lower = live.to_ascii_lowercase();
    ["env", "vault", "secret", "config", "settings", "var.", "credential", "keychain", "${"]
        .iter()
        .any(|w| lower.contains(w))
}
