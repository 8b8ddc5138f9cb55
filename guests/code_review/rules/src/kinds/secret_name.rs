//! Which names say that their value is a secret, and which values look like one.

use super::pattern;
use crate::mask::{is_filler, looks_secret, names_secret};

/// What everybody uses where nothing is guarded.
pub fn is_weak(user: &str, password: &str) -> bool {
    const WEAK: &[&str] = &[
        "password",
        "pass",
        "passwd",
        "secret",
        "postgres",
        "root",
        "admin",
        "guest",
        "user",
        "test",
        "pwd",
        "token",
        "mysql",
        "redis",
        "key",
        "example",
        "username",
        "foo",
        "bar",
        "x-oauth-basic",
        "x-access-token",
        "pw",
        "p",
        "dev",
        "apikey",
    ];
    let lower = password.to_ascii_lowercase();
    lower == user.to_ascii_lowercase() || WEAK.contains(&lower.as_str()) || password.len() < 4
}

pub fn is_algorithm(value: &str) -> bool {
    pattern!(
        r"(?i)^(?:(?:hmac-?)?(?:sha|hs|rs|es|ps|aes|md)-?\d+|base64|hex|utf-?8|ascii|binary|latin1|none
            |\d+\s?[smhdw])$"
    )
    .is_match(value)
}

/// `sessionKey`, `EARLIER_KEYS`: a key for cryptography, if its value looks like one.
pub fn is_key_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let plain = lower.trim_end_matches('s');
    const OTHER: &[&str] = &[
        "public",
        "cache",
        "primary",
        "foreign",
        "sort",
        "partition",
        "site",
        "publishable",
        "i18n",
        "translation",
        "storage",
        "map",
        "object",
        "row",
        "idempotency",
        "dedup",
        "lookup",
        "react",
        "test",
    ];
    plain.ends_with("key") && !OTHER.iter().any(|w| lower.contains(w))
}

/// Long and random, in hexadecimal or base 64.
pub fn is_key(value: &str) -> bool {
    let plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=_-".contains(&b));
    value.len() >= 32 && plain && looks_secret(value)
}

/// Last words of names that say where a secret is or how it is handled, not what it is.
const ABOUT_SECRETS: &[&str] = &[
    "name",
    "id",
    "ids",
    "url",
    "uri",
    "path",
    "file",
    "filename",
    "field",
    "type",
    "header",
    "param",
    "parameter",
    "label",
    "placeholder",
    "hint",
    "message",
    "msg",
    "error",
    "regex",
    "pattern",
    "policy",
    "length",
    "ttl",
    "expiry",
    "count",
    "limit",
    "prefix",
    "suffix",
    "format",
    "env",
    "var",
    "ref",
    "class",
    "selector",
    "input",
    "title",
    "text",
    "description",
    "endpoint",
    "scope",
    "scopes",
    "algorithm",
    "provider",
    "manager",
    "store",
    "service",
    "page",
    "route",
    "command",
    "arn",
    "index",
    "column",
    "attribute",
    "strategy",
    "mode",
    "version",
    "template",
    "kind",
    "status",
    "bytes",
    "tokens",
    "help",
    "hash",
    "dir",
    "location",
    "host",
    "port",
    "issuer",
    "audience",
    "group",
    "role",
    "table",
    "cookie",
    "claim",
    "option",
    "enabled",
    "required",
    "event",
    "action",
    "state",
    "address",
    "mint",
    "symbol",
    "tag",
    "link",
    "view",
    "xpath",
    "css",
];

pub fn is_secret_name(name: &str) -> bool {
    if !names_secret(name) {
        return false;
    }
    let mut last = String::new();
    for part in name.split(['_', '-', '.']).filter(|p| !p.is_empty()) {
        last = part.to_owned();
    }
    let hump = last.char_indices().rev().find(|(i, c)| c.is_ascii_uppercase() && *i > 0).map_or(0, |(i, _)| i);
    let word = if last.chars().any(|c| c.is_ascii_lowercase()) { &last[hump..] } else { &last };
    let lower = word.to_ascii_lowercase();
    let whole = name.to_ascii_lowercase();
    !ABOUT_SECRETS.contains(&lower.as_str())
        && !whole.contains("public")
        && !whole.starts_with("max")
        && !whole.contains("tokeniz")
}

/// How sure it is that a value under a secret name is one; None if it is not.
pub fn plausible(name: &str, value: &str) -> Option<u32> {
    if is_weak_reference(name, value) {
        return None;
    }
    if looks_secret(value) {
        return Some(84);
    }
    // Passwords that people make up have no entropy to speak of, but seldom only letters.
    let lower = name.to_ascii_lowercase();
    let password = ["password", "passwd", "pwd", "passphrase", "secret"].iter().any(|w| lower.contains(w));
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let symbols = value.bytes().filter(|b| b"!@#$%^&*?+=".contains(b)).count();
    let made_up = letters >= 3 && (digits >= 2 || symbols >= 1) && !value.contains([' ', '/', '.', '(', '[', ':', ',']);
    let plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"!@#$%^&*?+=-_".contains(&b));
    (password && made_up && plain && !is_weak("", value)).then_some(64)
}

/// A value that only names or describes: equal to its own name, a path, a type, a message.
pub fn is_weak_reference(name: &str, value: &str) -> bool {
    let plain = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let (name, given) = (plain(name), plain(value));
    given.is_empty()
        || name.contains(&given)
        || given.contains(&name)
        || is_reference(value)
        || is_filler(value)
        || ["none", "true", "false", "disabled", "required", "development", "test"].contains(&given.as_str())
}

pub fn is_reference(value: &str) -> bool {
    const STARTS: &[&str] = &[
        "/",
        "./",
        "../",
        "~/",
        "http://",
        "https://",
        "vault:",
        "ssm:",
        "arn:",
        "op://",
        "secret:",
        "secrets.",
        "enc[",
        "enc:",
        "{cipher}",
        "env:",
        "file:",
        "sha256:",
        "sha1:",
        "urn:",
        "data:",
        "#",
        "--",
        "projects/",
        "com.",
        "org.",
        "io.",
        "@",
        "!",
        "_",
        "\\",
        "gcp:",
        "aws:",
        "ref+",
        "awssecret",
        "keyvault",
    ];
    const ENDS: &[&str] =
        &[".pem", ".key", ".crt", ".json", ".yml", ".yaml", ".txt", ".js", ".ts", ".env", ".svg", ".png"];
    let lower = value.to_ascii_lowercase();
    STARTS.iter().any(|s| lower.starts_with(s))
        || ENDS.iter().any(|e| lower.ends_with(e))
        || value.contains("::")
        || value.contains("()")
        || value.contains("\\") && value.contains(['[', '('])
}
