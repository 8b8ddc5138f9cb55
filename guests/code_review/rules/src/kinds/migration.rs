//! Changes of a database's shape: lost data, locks, failures on tables that have rows.

use super::column::{locks, narrowed, unique, without_default, without_where};
use super::{pattern, Report};
use crate::finding::{Kind, Severity};
use crate::lang::Lang;
use crate::view::{FileView, View};

pub fn find(view: &View, report: &mut Report) {
    for file in &view.files {
        let place = file.place;
        if place.test || place.docs || place.generated || place.example || file.is_deleted_file() {
            continue;
        }
        let schema = file.lang == Lang::Sql
            && (place.migration || file.lines.iter().any(|l| pattern!(r"(?i)^\s*ALTER\s+TABLE").is_match(&l.code)));
        if !(place.migration || schema || file.path.ends_with("schema.prisma")) {
            continue;
        }
        look(view, file, report);
    }
}

fn say(report: &mut Report, file: &FileView, at: usize, rule: &'static str, score: u32, message: String) {
    let severity = if score >= 75 { Severity::High } else { Severity::Medium };
    report.add(file, at, Kind::Migration, rule, severity, score, message);
}

/// The worst of a file: one migration gets one finding.
fn look(view: &View, file: &FileView, report: &mut Report) {
    let mut worst: Option<(u32, usize, &'static str, String)> = None;
    for at in 0..file.lines.len() {
        let line = &file.lines[at];
        if !line.is_new() || line.is_blank() || goes_back(file, at) {
            continue;
        }
        for (score, rule, message) in judge(view, file, at) {
            if worst.as_ref().is_none_or(|w| w.0 < score) {
                worst = Some((score, at, rule, message));
            }
        }
    }
    let edited = edited_before(file);
    match (worst, edited) {
        (Some((score, at, rule, message)), _) => say(report, file, at, rule, score, message),
        (None, Some(at)) => {
            let message = "This migration was there before: where it has run already, the change is never applied. \
                Write a new migration.";
            say(report, file, at, "edited-migration", 66, message.to_owned());
        }
        (None, None) => {}
    }
}

/// Inside the part of a migration that undoes it.
fn goes_back(file: &FileView, at: usize) -> bool {
    let name = file.path.to_ascii_lowercase();
    if name.ends_with(".down.sql")
        || name.ends_with("down.sql")
        || name.ends_with("rollback.sql")
        || name.ends_with("_down.sql")
        || name.contains("/revert/")
    {
        return true;
    }
    let down = pattern!(
        r"(?i)^\s*(?:def (?:self\.)?(?:down|downgrade|backward|reverse\w*)\b|(?:public|protected|internal
            |private)?\s*(?:static\s+)?(?:override\s+|async\s+)*(?:\w+\s+)?(?:function\s+)?(?:down|Down|safeDown
            |revert)\s*\(|(?:async\s+)?down\s*[(:=]|(?:export\s+)?(?:async\s+)?function\s+down|exports\.down
            |module\.exports\.down|--\s*(?:\+goose\s+|\+migrate\s+|migrate:)?down\b|--\s*rollback|reverse_sql\s*=
            |down\s+do|<rollback|dir\.down|downgrade\s*:|--\s*//@undo|export const down)"
    );
    let up = pattern!(
        r"(?i)^\s*(?:def (?:self\.)?(?:up|upgrade|change|forward\w*)\b|(?:public|protected|internal
            |private)?\s*(?:static\s+)?(?:override\s+|async\s+)*(?:\w+\s+)?(?:function\s+)?(?:up|Up|safeUp)\s*\(
            |(?:async\s+)?up\s*[(:=]|(?:export\s+)?(?:async\s+)?function\s+up|exports\.up|--\s*(?:\+goose\s+
            |\+migrate\s+|migrate:)?up\b|up\s+do|operations\s*=|dir\.up|export const up)"
    );
    let mut first = true;
    for line in std::iter::once(&file.lines[at]).chain(file.above(at, 400)) {
        let text = line.text();
        if down.is_match(text) {
            return true;
        }
        if up.is_match(text) {
            return false;
        }
        if first && text.contains("reverse_sql") {
            return true;
        }
        first = false;
    }
    let context = file.context_of(at);
    down.is_match(context) || pattern!(r"(?i)\b(?:down|downgrade|backward)\b").is_match(context)
}

/// The statement a line belongs to, up to its end.
pub fn statement(file: &FileView, at: usize) -> String {
    let mut text = file.lines[at].live.clone();
    for next in file.below(at, 10) {
        if text.contains(';')
            || text.trim_end().ends_with([')'])
                && file.lang != Lang::Sql
                && text.matches('(').count() <= text.matches(')').count()
        {
            break;
        }
        text.push('\n');
        text.push_str(&next.live);
    }
    text
}

fn judge(view: &View, file: &FileView, at: usize) -> Vec<(u32, &'static str, String)> {
    let line = &file.lines[at];
    let live = line.live.as_str();
    let mut found = Vec::new();
    let meant = view.says(&[
        "no longer used",
        "unused",
        "not used",
        "nothing reads",
        "nobody reads",
        "no code reads",
        "stopped reading",
        "stopped writing",
        "since release",
        "last release",
        "previous release",
        "two releases",
        "contract step",
        "contract phase",
        "backfilled",
        "already empty",
        "deprecated",
    ]);
    let ease = if meant { 30 } else { 0 };
    if let Some(name) = dropped(file, live) {
        let own = created_here(file, at, &name) || kept_elsewhere(file, &name);
        if !own {
            let message = format!(
                "`{name}` is dropped with all its data, and the program of the last release, \
                which may still run, needs it. Stop using it first; drop it in a later release, with a way back."
            );
            found.push((76 - ease, "drops-data", message));
        }
    }
    let renamed = pattern!(
        r"(?i)\bRENAME\s+(?:COLUMN\s+)?(?:TO\b|\w+\s+TO\b|[\x22`\[]\w+[\x22`\]]\s+TO\b)|\brename_(?:column|table)\b
            |\b(?:renameColumn|renameTable|RenameColumn|RenameTable|RenameField|RenameModel)\s*\(
            |\bEXEC\s+sp_rename|<rename(?:Column|Table)\b|\bop\.alter_column\(.*new_column_name"
    );
    if renamed.is_match(live)
        && !pattern!(
            r"(?i)_(?:old|new|tmp|temp|backup)\b|RENAME\s+(?:CONSTRAINT|INDEX)|ALTER\s+INDEX
            |ALTER\s+SEQUENCE"
        )
        .is_match(live)
    {
        found.push((
            66 - ease,
            "renames",
            "Renamed in one step: the program of the last release, which runs until \
            the new one has replaced it, still asks for the old name. Add the new one, copy, and drop the old one \
            in a later release."
                .to_owned(),
        ));
    }
    if let Some(message) = without_default(file, at) {
        found.push((76, "not-null-without-default", message));
    }
    if let Some((score, message)) = narrowed(file, at) {
        found.push((score - ease.min(10), "narrows-type", message));
    }
    if let Some(found_lock) = locks(file, at) {
        found.push(found_lock);
    }
    if let Some(message) = unique(file, at) {
        found.push((58, "unique-on-old-rows", message));
    }
    if let Some(message) = without_where(file, at) {
        found.push((78 - ease, "touches-every-row", message));
    }
    if pattern!(r"(?i)^\s*TRUNCATE\b|[\x22'`]\s*TRUNCATE\s").is_match(live)
        && !created_here(file, at, live.split_whitespace().last().unwrap_or(""))
    {
        found.push((
            78,
            "drops-data",
            "Every row of the table is thrown away, and nothing brings them back. Delete what is meant, after a copy."
                .to_owned(),
        ));
    }
    if pattern!(r"(?i)\bDROP\b.*\bCASCADE\b|drop_table.*force:\s*:cascade").is_match(live) {
        found.push((
            80,
            "drops-data",
            "CASCADE drops whatever depends on this too, without naming it. Drop the dependants by name.".to_owned(),
        ));
    }
    found
}

/// The table or column that a line drops.
fn dropped(file: &FileView, live: &str) -> Option<String> {
    let sql = pattern!(r#"(?i)\bDROP\s+(?:TABLE|COLUMN)\s+(?:IF\s+EXISTS\s+)?["`\[]?(?:\w+["`\]]?\.["`\[]?)?(\w+)"#);
    let bare = pattern!(
        r#"(?i)^\s*(?:ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?\S+\s+)?DROP\s+["`\[]?(\w+)["`\]]?\s*[,;]?\s*$"#
    );
    let call = pattern!(
        r#"\b(?:remove_column|drop_table|remove_columns|dropColumn|dropColumns|dropTable|dropIfExists|DropColumn
            |DropTable|removeColumn|drop_column|remove_timestamps|remove_reference
            |dropTimestamps)\s*(?:<[^>]*>)?\(?\s*\[?\s*(?:name:\s*)?["':]?(\w+)["']?(?:\s*,\s*(?:table:\s*)?["':](\w+))?"#
    );
    let django = pattern!(r"\bmigrations\.(?:RemoveField|DeleteModel)\s*\(");
    let ecto = pattern!(r"^\s*remove\s*\(?\s*:(\w+)");
    let xml = pattern!(r#"<drop(?:Column|Table)\b[^>]*?(?:columnName|tableName)="(\w+)""#);
    if let Some(hit) =
        sql.find(live).or_else(|| xml.find(live)).or_else(|| ecto.find(live).filter(|_| file.lang == Lang::Elixir))
    {
        return Some(hit.group(1).to_owned());
    }
    if let Some(hit) = bare.find(live).filter(|_| file.lang == Lang::Sql) {
        let word = hit.group(1).to_ascii_uppercase();
        let other = [
            "CONSTRAINT",
            "INDEX",
            "DEFAULT",
            "NOT",
            "FOREIGN",
            "PRIMARY",
            "KEY",
            "TRIGGER",
            "FUNCTION",
            "VIEW",
            "PARTITION",
            "IDENTITY",
            "EXPRESSION",
        ];
        return (!other.contains(&word.as_str())).then(|| hit.group(1).to_owned());
    }
    if django.is_match(live) {
        return Some("the field or model".to_owned());
    }
    let hit = call.find(live)?;
    if pattern!(r"\bif_exists|dropIfExists|DROP INDEX").is_match(live)
        && file.is_new_file()
        && hit.group(2).is_empty()
        && live.contains("IfExists")
    {
        // The usual first line of a script that creates the table.
        return None;
    }
    let name = if hit.group(2).is_empty() { hit.group(1) } else { hit.group(2) };
    Some(if matches!(name, "self" | "static" | "this") { "what it names" } else { name }.to_owned())
}

/// Made by the same file: a temporary table, or one that is built anew and filled.
pub fn created_here(file: &FileView, at: usize, name: &str) -> bool {
    let temp = pattern!(r"(?i)^_*(?:tmp|temp|old|new|backup|bak)_|_(?:tmp|temp|old|new|backup|bak|staging)$");
    if temp.is_match(name) {
        return true;
    }
    let lower = name.to_ascii_lowercase();
    file.lines.iter().enumerate().any(|(i, l)| {
        let text = l.live.to_ascii_lowercase();
        let makes = text.contains("create table")
            || text.contains("create_table")
            || text.contains("createtable")
            || text.contains("create temp")
            || text.contains("rename to")
            || text.contains("schema::create");
        i != at && !l.is_removed() && makes && text.contains(&lower) && !goes_back(file, i)
    })
}

/// The data is copied to somewhere before.
pub fn kept_elsewhere(file: &FileView, name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let copies = pattern!(r"(?i)\binsert\s+into\b|\bupdate\s+\S+\s+set\b|\bselect\b.*\binto\b|\bRunPython\b");
    let whole = file
        .lines
        .iter()
        .filter(|l| !l.is_removed())
        .map(|l| l.live.to_ascii_lowercase())
        .collect::<Vec<_>>()
        .join("\n");
    copies.is_match(&whole) && whole.matches(&lower).count() > 1
}

/// Statements changed in a migration that stood in the repository before.
fn edited_before(file: &FileView) -> Option<usize> {
    if file.is_new_file() || file.file.status != crate::diff::Status::Modified || !numbered(file.path) {
        return None;
    }
    let ddl = pattern!(
        r"(?i)\b(?:create|alter|drop|insert|update|delete)\s+(?:table|index|column|into|from|\w+\s+set|unique|type
            |view)\b|\b(?:add|remove|create|change|drop|rename)_(?:column|table|index|reference|foreign_key)\b
            |t\.\w+ +:|\bop\.\w+\(|migrations\.\w+\(|migrationBuilder\.|\$table->|table\.\w+\(|addColumn
            |models\.\w+Field|^\s+\w+\s+(?:varchar|text|int|bigint|boolean|timestamp\w*|uuid|numeric)\b"
    );
    let fixes = pattern!(r"(?i)if\s+(?:not\s+)?exists|concurrently");
    file.lines.iter().position(|l| l.is_new() && ddl.is_match(&l.live) && !fixes.is_match(&l.live))
}

/// A name that tells the order of migrations, as they are applied once.
fn numbered(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    pattern!(r"^(?:V\d+|\d{3,}|[0-9a-f]{12}_)").is_match(name) && !name.starts_with("R__")
}
