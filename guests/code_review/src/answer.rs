//! A model's answer, read with patience: the line form that was asked for, or JSON, with any decoration around it.

use millrace::json;
use millrace::Value;

/// An answer longer than this is not read to its end.
const BYTES_MAX: usize = 64 << 10;
const CLAIMS_MAX: usize = 40;

#[derive(Debug, Default, PartialEq)]
pub struct Answer {
    pub summary: String,
    pub changes: Vec<String>,
    /// Path and what was done to it.
    pub files: Vec<(String, String)>,
    pub claims: Vec<Claim>,
    /// The answer said that there is no risk.
    pub says_none: bool,
}

/// A problem that a model claims to see.
#[derive(Debug, Default, PartialEq)]
pub struct Claim {
    pub severity: String,
    pub kind: String,
    pub file: String,
    pub line: u32,
    pub quote: String,
    pub message: String,
}

impl Answer {
    /// Nothing of what was asked for is in it.
    pub fn is_empty(&self) -> bool {
        self.summary.is_empty()
            && self.changes.is_empty()
            && self.files.is_empty()
            && self.claims.is_empty()
            && !self.says_none
    }
}

pub fn read(text: &str) -> Answer {
    let mut end = text.len().min(BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text[..end];
    let mut answer = from_lines(text);
    if answer.is_empty() {
        answer = from_json(text).unwrap_or_default();
    }
    answer.claims.truncate(CLAIMS_MAX);
    answer.changes.truncate(12);
    answer
}

fn from_lines(text: &str) -> Answer {
    let mut answer = Answer::default();
    let mut in_summary = false;
    for line in text.lines() {
        let line = undecorated(line);
        let word_end = line.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(line.len());
        let (word, rest) =
            (line[..word_end].to_ascii_uppercase(), line[word_end..].trim_start_matches([':', '*', '|', ' ']));
        let was_summary = std::mem::take(&mut in_summary);
        match word.as_str() {
            "SUMMARY" if answer.summary.is_empty() => {
                answer.summary = rest.to_string();
                in_summary = true;
            }
            "CHANGE" | "CHANGES" if !rest.is_empty() => answer.changes.push(rest.to_string()),
            "FILE" => answer.files.extend(file(rest)),
            "RISK" => answer.claims.extend(claim(rest)),
            "NO" if line.to_ascii_uppercase().starts_with("NO RISK") => answer.says_none = true,
            "RISKS" if rest.to_ascii_uppercase().starts_with("NONE") => answer.says_none = true,
            // A summary of several lines.
            _ if was_summary && !line.is_empty() => {
                answer.summary = format!("{} {line}", answer.summary).trim_start().to_string();
                in_summary = true;
            }
            _ => {}
        }
    }
    answer
}

/// Without list marks, numbers, emphasis and heading marks in front.
fn undecorated(line: &str) -> &str {
    let line = line.trim().trim_start_matches(['-', '*', '#', '>', '•', ' ']);
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    match digits.len() < line.len() && digits.starts_with(['.', ')']) {
        true => digits[1..].trim_start_matches(['*', ' ']),
        false => line,
    }
}

/// `path: what was done`
fn file(rest: &str) -> Option<(String, String)> {
    let (path, note) = rest.split_once(": ").or_else(|| rest.split_once('|')).or_else(|| rest.split_once(" - "))?;
    Some((path.trim().trim_matches(['`', '*']).to_string(), note.trim().to_string()))
}

/// `severity | kind | path:line | quote | why`; the quote may hold the separator.
fn claim(rest: &str) -> Option<Claim> {
    let mut parts = rest.splitn(4, '|').map(str::trim);
    let (severity, kind, place, tail) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let in_code = tail.strip_prefix('`').and_then(|text| {
        let end = text.match_indices('`').map(|(i, _)| i).find(|i| text[i + 1..].trim_start().starts_with('|'))?;
        Some((&text[..end], text[end + 1..].trim_start().trim_start_matches('|')))
    });
    let (quote, message) = in_code.or_else(|| tail.rsplit_once('|'))?;
    let (file, line) = place_of(place);
    Some(Claim {
        severity: word(severity),
        kind: word(kind),
        file,
        line,
        quote: quote.trim().to_string(),
        message: message.trim().to_string(),
    })
}

fn word(text: &str) -> String {
    text.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_ascii_lowercase()
}

/// `src/a.py:12`, `src/a.py line 12`, `src/a.py:12-14`
fn place_of(text: &str) -> (String, u32) {
    let text = text.trim_matches(['`', '*', ' ']);
    let at = text.rfind(':').or_else(|| text.find(" line ")).unwrap_or(text.len());
    let digits: String =
        text[at..].chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    match digits.parse() {
        Ok(line) => (text[..at].trim_matches(['`', ' ']).to_string(), line),
        Err(_) => (text.to_string(), 0),
    }
}

fn from_json(text: &str) -> Option<Answer> {
    let start = text.find(['{', '['])?;
    let end = text.rfind(['}', ']'])? + 1;
    let value = json::parse(text.get(start..end)?.as_bytes()).ok()?;
    let first = |value: &Value, names: &[&str]| -> Value {
        names.iter().map(|name| &value[*name]).find(|v| !v.is_null()).cloned().unwrap_or(Value::Null)
    };
    let string = |value: Value| match value {
        Value::String(text) => text,
        Value::Number(text) => text,
        _ => String::new(),
    };
    let list = match &value {
        Value::Array(_) => value.clone(),
        _ => first(&value, &["findings", "risks", "issues", "problems"]),
    };
    let claims = list.items().iter().map(|item| {
        let (file, line) = place_of(&string(first(item, &["file", "path"])));
        let told = first(item, &["line", "start_line"]).as_i64().and_then(|n| u32::try_from(n).ok());
        Claim {
            severity: word(&string(first(item, &["severity", "level"]))),
            kind: word(&string(first(item, &["kind", "type", "category"]))),
            file,
            line: told.unwrap_or(line),
            quote: string(first(item, &["quote", "code"])),
            message: string(first(item, &["message", "why", "description", "explanation"])),
        }
    });
    Some(Answer {
        summary: string(first(&value, &["summary"])),
        changes: value["changes"].items().iter().map(|v| v.text().to_string()).filter(|t| !t.is_empty()).collect(),
        files: value["files"]
            .items()
            .iter()
            .map(|item| (string(first(item, &["file", "path"])), string(first(item, &["note", "summary", "change"]))))
            .filter(|(path, note)| !path.is_empty() && !note.is_empty())
            .collect(),
        claims: claims.collect(),
        says_none: matches!(&list, Value::Array(items) if items.is_empty()),
    })
}

/// Whether prose is about this change: it shares words with it and does not go in circles.
pub fn is_plausible(prose: &str, known_words: &dyn Fn(&str) -> bool) -> bool {
    let words: Vec<String> = prose
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let distinct = words.iter().collect::<std::collections::HashSet<_>>().len();
    let letters = prose.chars().filter(|c| c.is_alphabetic()).count();
    let circles = words.len() > 20 && distinct * 4 < words.len();
    let shares = words.iter().any(|word| word.chars().count() >= 4 && known_words(word));
    words.len() >= 3 && letters * 2 > prose.chars().filter(|c| !c.is_whitespace()).count() && !circles && shares
}

/// Whether a text speaks of a line without quoting it: `line 12`, `a.py:12`.
pub fn names_a_line(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let digit_after =
        |at: usize| lower[at..].trim_start_matches([' ', '#', '~']).starts_with(|c: char| c.is_ascii_digit());
    let starts = |at: usize| !lower[..at].ends_with(|c: char| c.is_alphanumeric());
    let by_word = ["line ", "lines "]
        .iter()
        .any(|word| lower.match_indices(word).any(|(i, word)| starts(i) && digit_after(i + word.len())));
    let by_place = lower.match_indices(':').any(|(i, _)| {
        let before = lower[..i].rsplit(|c: char| c.is_whitespace()).next().unwrap_or("");
        before.contains('.') && !before.ends_with('.') && lower[i + 1..].starts_with(|c: char| c.is_ascii_digit())
    });
    by_word || by_place
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
