//! Strings that look like secrets: known shapes, and values that are too random to be words.

use std::sync::OnceLock;

use crate::pattern::Pattern;

pub struct Shape {
    pub name: &'static str,
    /// One of these stands in every string of the shape.
    pub need: &'static str,
    pattern: &'static str,
}

/// Tokens whose issuer gave them a shape of their own.
pub const SHAPES: &[Shape] = &[
    Shape { name: "AWS access key", need: "A", pattern: r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b" },
    Shape { name: "GitHub token", need: "gh", pattern: r"\bgh[pousr]_[A-Za-z0-9]{36,}\b" },
    Shape { name: "GitHub token", need: "github_pat_", pattern: r"\bgithub_pat_[A-Za-z0-9_]{50,}\b" },
    Shape { name: "GitLab token", need: "gl", pattern: r"\bgl(?:pat|dt|ptt|rt|cbt)-[A-Za-z0-9_-]{20,}" },
    Shape { name: "Slack token", need: "xox", pattern: r"\bxox[abeoprs]-[A-Za-z0-9-]{20,}" },
    Shape { name: "Slack token", need: "xapp-", pattern: r"\bxapp-\d-[A-Za-z0-9-]{20,}" },
    Shape {
        name: "Slack webhook",
        need: "hooks.slack.com",
        pattern: r"hooks\.slack\.com/(?:services|workflows)/T[A-Za-z0-9]{6,}/[A-Za-z0-9]{6,}/[A-Za-z0-9]{16,}",
    },
    Shape {
        name: "Discord webhook",
        need: "/api/webhooks/",
        pattern: r"discord(?:app)?\.com/api/webhooks/\d{16,}/[A-Za-z0-9_-]{50,}",
    },
    Shape { name: "Stripe key", need: "k_", pattern: r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{20,}" },
    Shape { name: "Stripe webhook secret", need: "whsec_", pattern: r"\bwhsec_[A-Za-z0-9+/]{24,}" },
    Shape {
        name: "OpenAI key",
        need: "sk-",
        pattern: r"\bsk-(?:proj-|svcacct-|ant-[a-z0-9]+-|or-v1-)?[A-Za-z0-9_-]{32,}",
    },
    Shape { name: "Google API key", need: "AIza", pattern: r"\bAIza[A-Za-z0-9_-]{35}" },
    Shape { name: "Google OAuth secret", need: "GOCSPX-", pattern: r"\bGOCSPX-[A-Za-z0-9_-]{24,}" },
    Shape { name: "Google access token", need: "ya29.", pattern: r"\bya29\.[A-Za-z0-9_-]{30,}" },
    Shape { name: "SendGrid key", need: "SG.", pattern: r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{30,}" },
    Shape { name: "npm token", need: "npm_", pattern: r"\bnpm_[A-Za-z0-9]{36}\b" },
    Shape { name: "PyPI token", need: "pypi-", pattern: r"\bpypi-[A-Za-z0-9_-]{50,}" },
    Shape { name: "DigitalOcean token", need: "do", pattern: r"\bdo[opr]_v1_[a-f0-9]{64}\b" },
    Shape { name: "Shopify token", need: "shp", pattern: r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b" },
    Shape { name: "Square token", need: "sq0", pattern: r"\bsq0[a-z]{3}-[A-Za-z0-9_-]{22,}" },
    Shape { name: "Mailgun key", need: "key-", pattern: r"\bkey-[0-9a-f]{32}\b" },
    Shape { name: "Mailchimp key", need: "-us", pattern: r"\b[0-9a-f]{32}-us\d{1,2}\b" },
    Shape { name: "Twilio key", need: "SK", pattern: r"\bSK[0-9a-f]{32}\b" },
    Shape { name: "Telegram bot token", need: ":AA", pattern: r"\b\d{8,10}:AA[A-Za-z0-9_-]{33}" },
    Shape { name: "Hugging Face token", need: "hf_", pattern: r"\bhf_[A-Za-z]{34,}\b" },
    Shape { name: "Docker token", need: "dckr_", pattern: r"\bdckr_[po]at_[A-Za-z0-9_-]{20,}" },
    Shape { name: "Grafana token", need: "gl", pattern: r"\bgl(?:sa|c)_[A-Za-z0-9+/=_]{32,}" },
    Shape { name: "New Relic key", need: "NRAK-", pattern: r"\bNRAK-[A-Z0-9]{27}\b" },
    Shape { name: "Linear key", need: "lin_", pattern: r"\blin_(?:api|oauth)_[A-Za-z0-9]{32,}" },
    Shape { name: "Databricks token", need: "dapi", pattern: r"\bdapi[a-f0-9]{32}\b" },
    Shape { name: "Vault token", need: "hvs.", pattern: r"\bhvs\.[A-Za-z0-9_-]{24,}" },
    Shape { name: "age key", need: "AGE-SECRET-KEY-", pattern: r"AGE-SECRET-KEY-1[A-Z0-9]{50,}" },
    Shape { name: "Azure storage key", need: "AccountKey=", pattern: r"AccountKey=[A-Za-z0-9+/]{60,}={0,2}" },
    Shape {
        name: "Azure shared access key",
        need: "SharedAccessKey=",
        pattern: r"SharedAccessKey=[A-Za-z0-9+/]{40,}=?",
    },
    Shape { name: "private key", need: "PRIVATE KEY", pattern: r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----" },
    Shape {
        name: "JSON web token",
        need: "eyJ",
        pattern: r"\beyJ[A-Za-z0-9_-]{16,}\.eyJ[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    },
];

fn patterns() -> &'static [Pattern] {
    static PATTERNS: OnceLock<Vec<Pattern>> = OnceLock::new();
    PATTERNS.get_or_init(|| SHAPES.iter().map(|s| Pattern::new(s.pattern)).collect())
}

/// The first string of a known shape: which, and where it stands.
pub fn known_shape(text: &str) -> Option<(&'static Shape, usize, usize)> {
    for (shape, pattern) in SHAPES.iter().zip(patterns()) {
        if !text.contains(shape.need) {
            continue;
        }
        for hit in pattern.all(text) {
            let value = &text[hit.start()..hit.end()];
            if shape.name == "private key" || !is_filler(value) {
                return Some((shape, hit.start(), hit.end()));
            }
        }
    }
    None
}

/// Random enough to be a key, a token or a made-up password, and no placeholder.
pub fn looks_secret(value: &str) -> bool {
    if known_shape(value).is_some() {
        return true;
    }
    let length = value.chars().count();
    if !(8..=512).contains(&length) || is_filler(value) || value.chars().any(|c| c.is_whitespace() || !c.is_ascii()) {
        return false;
    }
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let upper = value.bytes().filter(u8::is_ascii_uppercase).count();
    let lower = value.bytes().filter(u8::is_ascii_lowercase).count();
    let other = length - digits - upper - lower;
    let kinds = [digits, upper, lower, other].iter().filter(|n| **n > 0).count();
    let hex = value.bytes().all(|b| b.is_ascii_hexdigit());
    let enough = entropy(value) >= if length >= 20 && !hex { 3.3 } else { 2.7 };
    // Names of things: words joined by - _ . / and a few digits.
    let words = value.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
    let wordy = words.clone().all(|w| is_wordlike(w));
    if digits == 0 && length < 32 {
        return enough && kinds >= 3 && !wordy;
    }
    enough && digits > 0 && (upper + lower > 0) && !wordy
}

/// A word, a number, or a word with a number behind it.
fn is_wordlike(word: &str) -> bool {
    let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
    if letters.is_empty() {
        return true;
    }
    if !letters.bytes().all(|b| b.is_ascii_alphabetic()) {
        return false;
    }
    let bytes = letters.as_bytes();
    let humps = bytes.windows(2).filter(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase()).count();
    let vowels = bytes.iter().filter(|b| b"aeiouyAEIOUY".contains(b)).count();
    let longest = longest_consonants(letters);
    let upper = bytes.iter().filter(|b| b.is_ascii_uppercase()).count();
    let even = upper <= 1 + humps || upper == letters.len();
    (letters.len() <= 3 || vowels * 5 >= letters.len())
        && longest <= 5
        && even
        && humps * 3 <= letters.len()
        && word.len() - letters.len() <= 4
}

fn longest_consonants(text: &str) -> usize {
    text.split(|c: char| "aeiouyAEIOUY".contains(c)).map(str::len).max().unwrap_or(0)
}

/// Bits a character.
pub fn entropy(text: &str) -> f64 {
    let mut counts = [0u32; 256];
    text.bytes().for_each(|b| counts[usize::from(b)] += 1);
    let total = text.len() as f64;
    counts.iter().filter(|c| **c > 0).map(|c| f64::from(*c) / total).map(|p| -p * p.log2()).sum()
}

/// What people write where the real value is to go.
pub fn is_filler(value: &str) -> bool {
    const WORDS: &[&str] = &[
        "example",
        "changeme",
        "change_me",
        "change-me",
        "placeholder",
        "your",
        "xxxx",
        "****",
        "....",
        "dummy",
        "sample",
        "redacted",
        "insert",
        "replace",
        "todo",
        "fixme",
        "foobar",
        "goeshere",
        "goes-here",
        "goes_here",
        "notreal",
        "not-a-",
        "not_a_",
        "0000000",
        "1234567",
        "abcdefgh",
        "abcd1234",
        "deadbeef",
        "fake",
        "mock",
        "lorem",
        "<",
        ">",
        "${",
        "{{",
        "}}",
        "%(",
        "$(",
        "#{",
        "not-a-real",
        "localhost",
        "undefined",
        "null",
        "testtest",
        "secret-here",
        "my-secret",
        "mysecret",
        "hidden",
        "masked",
        "snakeoil",
        "aaaaaa",
    ];
    let lower = value.to_ascii_lowercase();
    if WORDS.iter().any(|word| lower.contains(word)) {
        return true;
    }
    let distinct = value.bytes().collect::<std::collections::HashSet<_>>().len();
    distinct <= 4
        || value.starts_with('$')
        || (value.starts_with('%') && value.ends_with('%'))
        || value.starts_with("env.")
}

/// Replaces every secret-looking string by its first four characters and its length.
pub fn mask_secrets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        mask_line(line, &mut out);
    }
    out
}

fn mask_line(line: &str, out: &mut String) {
    let mut rest = line;
    // Values of a known shape first; they may hold characters that part words.
    while let Some((shape, from, to)) = known_shape(rest) {
        if shape.name == "private key" {
            break;
        }
        mask_words(&rest[..from], out);
        push_masked(&rest[from..to], out);
        rest = &rest[to..];
    }
    mask_words(rest, out);
}

fn mask_words(text: &str, out: &mut String) {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-+/=.~!@#%^&*".contains(c);
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let end = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
        if end == 0 {
            let step = rest.chars().next().map_or(1, char::len_utf8);
            out.push_str(&rest[..step]);
            at += step;
            continue;
        }
        mask_word(&rest[..end], &text[..at], out);
        at += end;
    }
}

/// A run without blanks or quotes: `name=value` and `user:value@host` are looked at in parts.
fn mask_word(word: &str, before: &str, out: &mut String) {
    if let Some((name, value)) = word.split_once('=') {
        if !name.is_empty() && !value.trim_matches('=').is_empty() {
            out.push_str(name);
            out.push('=');
            return mask_value(value, names_secret(name), out);
        }
    }
    let in_url = before.ends_with(':') && before.contains("://") && word.contains('@');
    if in_url {
        let (password, host) = word.split_once('@').unwrap_or((word, ""));
        mask_value(password, true, out);
        out.push('@');
        out.push_str(host);
        return;
    }
    let head = before.trim_end_matches([' ', '"', '\'', ':', '=', '>', '[', ']', '(', ',', '`']);
    let name = head.rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).next().unwrap_or("");
    mask_value(word, head.len() < before.len() && names_secret(name), out);
}

fn mask_value(value: &str, named: bool, out: &mut String) {
    let long_key = value.len() >= 32 && looks_secret(value) && !value.contains(['/', '.']) && !is_digest(value);
    let long_key = long_key || is_key_line(value);
    if (named && looks_secret(value)) || long_key || known_shape(value).is_some() {
        push_masked(value, out);
    } else {
        out.push_str(value);
    }
}

/// A full line of a private key's body: base 64, in which `/` is no sign of a path.
fn is_key_line(value: &str) -> bool {
    let base64 = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b));
    base64 && value.len() >= 60 && looks_secret(value) && !is_digest(value)
}

/// Commit and content hashes are public.
fn is_digest(value: &str) -> bool {
    let hex = value.bytes().all(|b| b.is_ascii_hexdigit());
    (hex && matches!(value.len(), 32 | 40 | 56 | 64 | 96 | 128))
        || ["sha1-", "sha256-", "sha384-", "sha512-"].iter().any(|p| value.starts_with(p))
        || value.starts_with("h1:")
}

fn push_masked(value: &str, out: &mut String) {
    let count = value.chars().count();
    out.extend(value.chars().take(4));
    out.push_str(&format!("…[{count} characters]"));
}

/// A name that says its value is a secret.
pub fn names_secret(name: &str) -> bool {
    const PARTS: &[&str] = &[
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "apikey",
        "accesskey",
        "privatekey",
        "authkey",
        "credential",
        "accountkey",
        "signingkey",
        "encryptionkey",
        "masterkey",
        "connectionstring",
    ];
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let ends = ["pwd", "pass", "dsn", "appkey", "authtoken", "signature", "secretkey"];
    PARTS.iter().any(|part| plain.contains(part)) || ends.iter().any(|end| plain.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_passwords_look_secret() {
        let aws = format!("AKIA{}", "Q3WERT5YUIOP2ASD");
        for value in
            [aws.as_str(), "9f8Kd02mXq7Lr4Zt", "wJalrX7UtnFEMIK7MDENGbPxRfiCYzz", "hT7!kq92Lm#x", "a8f3c19be2d04471"]
        {
            assert!(looks_secret(value), "{value}");
        }
    }

    #[test]
    fn words_and_placeholders_do_not() {
        for value in [
            "changeme",
            "your-api-key-here",
            "user-password-field",
            "${DB_PASSWORD}",
            "application/json",
            "MyCompany.Product.Module2",
            "xxxxxxxxxxxxxxxxxxxx",
            "reset_token_v2",
            "X-Auth-Token",
            "getAccessToken",
        ] {
            assert!(!looks_secret(value), "{value}");
        }
    }

    #[test]
    fn the_lines_of_a_private_key_are_masked_and_paths_are_not() {
        let line = format!("{}/{}", "b3BlbnNzaC1rZXktdjEA7Xq2Lm9Rt4Zw8Yc", "Kp5Vd1Hs6Bn3Jf0Gx+Uo2Ea7Ti9Wl4Cq");
        assert_eq!(mask_secrets(&format!("+{line}")).matches(&line[8..]).count(), 0);
        let path = "src/main/java/org/example/project/module/feature/implementation/Reader2";
        assert_eq!(mask_secrets(path), path);
    }

    #[test]
    fn masks_by_four_characters_and_length() {
        assert_eq!(mask_secrets("password = \"hT7!kq92Lm#x\""), "password = \"hT7!…[12 characters]\"");
        assert_eq!(mask_secrets("db://u:9f8Kd02mXq7Lr4Zt@h/x"), "db://u:9f8K…[16 characters]@h/x");
        assert_eq!(mask_secrets("nothing here\nat all"), "nothing here\nat all");
        let token = format!("ghp_{}", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8");
        assert_eq!(mask_secrets(&token), "ghp_…[40 characters]");
    }
}
