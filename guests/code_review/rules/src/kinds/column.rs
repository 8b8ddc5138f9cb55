//! Changes of columns and indexes that fail, cut or block on tables with rows.

use super::migration::{created_here, kept_elsewhere, statement};
use super::pattern;
use crate::lang::Lang;
use crate::view::FileView;

/// A column that must have a value, added to rows that have none.
pub fn without_default(file: &FileView, at: usize) -> Option<String> {
    let live = file.lines[at].live.as_str();
    let text = statement(file, at);
    let message = || {
        Some(
            "The new column must have a value, and the rows that exist get none: on a table with rows this fails. \
            Give a default, or add it empty, fill it, and make it NOT NULL after that."
                .to_owned(),
        )
    };
    let adds_sql = pattern!(r"(?i)\bADD\s+(?:COLUMN\s+)?(?:IF\s+NOT\s+EXISTS\s+)?[\x22`\[]?\w+[\x22`\]]?\s+\w+");
    let not_null = pattern!(r"(?i)\bNOT\s+NULL\b");
    let default = pattern!(r"(?i)\bDEFAULT\b|\bGENERATED\b|\bSERIAL\b|\bAUTO_INCREMENT\b|\bIDENTITY\b|ROWVERSION");
    let line_of_column =
        live.split(',').any(|part| adds_sql.is_match(part) && not_null.is_match(part) && !default.is_match(part))
            || (adds_sql.is_match(live)
                && pattern!(r"(?i)\bADD\b[^,;]*\bNOT\s+NULL\b").is_match(&text)
                && !default.is_match(&text));
    if line_of_column && !pattern!(r"(?i)\bADD\s+(?:CONSTRAINT|CHECK|INDEX|KEY|PRIMARY|FOREIGN|UNIQUE)").is_match(live)
    {
        return message();
    }
    let rails = pattern!(r"\badd_(?:column|reference|belongs_to)\b.*null:\s*false");
    if rails.is_match(live) && !text.contains("default:") {
        return message();
    }
    let alembic = pattern!(r"\bop\.add_column\(|batch_op\.add_column\(");
    if alembic.is_match(live) && text.contains("nullable=False") && !text.contains("server_default") {
        return message();
    }
    let django = pattern!(r"\bmigrations\.AddField\(");
    if django.is_match(live) {
        let whole = file
            .below(at, 12)
            .take_while(|l| l.indent() > file.lines[at].indent())
            .map(|l| l.live.as_str())
            .collect::<Vec<_>>()
            .join("\n");
        let filled =
            pattern!(r"default|null=True|auto_now|ManyToMany|AutoField|GeneratedField|db_default").is_match(&whole);
        if whole.contains("field=") && !filled {
            return message();
        }
    }
    let ef = pattern!(r"\bAddColumn<");
    if ef.is_match(live) && text.contains("nullable: false") && !text.contains("defaultValue") {
        return message();
    }
    let knex = pattern!(r"\btable\.\w+\(.*\.notNullable\(\)|\baddColumn\(");
    let alters = file.above(at, 30).any(|l| pattern!(r"alterTable|\.table\(|addColumn\(").is_match(&l.live))
        || live.contains("addColumn(");
    let creates = file.above(at, 30).any(|l| l.live.contains("createTable"));
    if file.lang.is_script() && knex.is_match(live) && alters && !creates {
        let required = text.contains(".notNullable()") || text.contains("allowNull: false");
        let filled = pattern!(r"defaultTo|defaultValue|default:|\.alter\(\)").is_match(&text);
        if required && !filled {
            return message();
        }
    }
    laravel(file, at).then(message).flatten()
}

/// Laravel: a column in `Schema::table` without `nullable` or `default`.
fn laravel(file: &FileView, at: usize) -> bool {
    let column = pattern!(
        r"\$table->(?:string|text|integer|unsignedInteger|bigInteger|unsignedBigInteger|foreignId|boolean|date
            |dateTime|timestamp|decimal|json|uuid|char|enum|tinyInteger|smallInteger|float)\("
    );
    if file.lang != Lang::Php || !column.is_match(&file.lines[at].live) {
        return false;
    }
    let text = statement(file, at);
    let opened = file.above(at, 60).find(|l| l.live.contains("Schema::"));
    opened.is_some_and(|l| l.live.contains("Schema::table"))
        && !["nullable", "default", "->change()", "useCurrent", "storedAs", "virtualAs"]
            .iter()
            .any(|w| text.contains(w))
}

/// NOT NULL set on what may be empty, and types that hold less.
pub fn narrowed(file: &FileView, at: usize) -> Option<(u32, String)> {
    let live = file.lines[at].live.as_str();
    let sets = pattern!(
        r"(?i)\bALTER\s+(?:COLUMN\s+)?\S+\s+SET\s+NOT\s+NULL|\bchange_column_null\b.*\bfalse\s*(?:\)|$)
            |\bMODIFY\s+(?:COLUMN\s+)?\S+\s+\S+.*\bNOT\s+NULL\b|\balter_column\(.*nullable=False
            |\.notNullable\(\)\.alter\(\)|dropNullable\(|<addNotNullConstraint\b"
    );
    let whole =
        || file.lines.iter().filter(|l| !l.is_removed()).map(|l| l.live.as_str()).collect::<Vec<_>>().join("\n");
    if sets.is_match(live) {
        let filled = pattern!(
            r"(?i)\bUPDATE\s+\S+\s+SET\b|update_all|RunPython|NOT\s+VALID|VALIDATE\s+CONSTRAINT
            |defaultNullValue|DELETE\s+FROM|\.update\(|in_batches|find_each|safety_assured"
        )
        .is_match(&whole());
        if !filled {
            return Some((
                68,
                "Rows in which this is empty make the migration fail, and the check of all rows holds \
                a lock on the table. Fill them first; in PostgreSQL add a CHECK … NOT VALID and validate it after \
                that."
                    .to_owned(),
            ));
        }
    }
    let retypes = pattern!(
        r"(?i)\bALTER\s+(?:COLUMN\s+)?\S+\s+(?:SET\s+DATA\s+)?TYPE\s+(\w+)(?:\s*\((\d+)\))?|\b(?:MODIFY
            |CHANGE)\s+(?:COLUMN\s+)?(?:\S+\s+){1,2}?(varchar|char|int|smallint|tinyint|decimal
            |date)\b(?:\s*\((\d+)\))?|\bALTER\s+COLUMN\s+\S+\s+(n?varchar|int|smallint|decimal|date)\b"
    );
    if let Some(hit) = retypes.find(live) {
        let name = [hit.group(1), hit.group(3), hit.group(5)].concat().to_ascii_lowercase();
        let widens =
            matches!(name.as_str(), "text" | "bigint" | "longtext" | "mediumtext" | "jsonb" | "citext" | "numeric")
                || (name == "timestamptz");
        if !widens {
            return Some((
                62,
                format!(
                    "The type becomes `{name}`: values that do not fit are cut or make the \
                migration fail, and the table is rewritten under a lock. Make sure that all values fit, or copy \
                into a new column."
                ),
            ));
        }
    }
    let rails = pattern!(r"\bchange_column\s*\(?\s*:\w+,\s*:\w+,\s*:(integer|date|smallint|boolean|decimal|string)\b");
    if rails.is_match(live) && !live.contains("limit: 8") {
        return Some((
            60,
            "Values that do not fit the new type are cut or make the migration fail, and the table is \
            rewritten under a lock. Copy into a new column instead."
                .to_owned(),
        ));
    }
    None
}

/// What stops others from writing for as long as it runs.
pub fn locks(file: &FileView, at: usize) -> Option<(u32, &'static str, String)> {
    let live = file.lines[at].live.as_str();
    let text = statement(file, at);
    let lower = text.to_ascii_lowercase();
    let whole = file.lines.iter().map(|l| l.live.to_ascii_lowercase()).collect::<Vec<_>>().join("\n");
    let index = pattern!(r"(?i)\bCREATE\s+(?:UNIQUE\s+)?INDEX\b");
    if index.is_match(live) && !lower.contains("concurrently") {
        let was = file.pair_of(at).is_some_and(|old| old.live.to_ascii_lowercase().contains("concurrently"));
        let postgres = pattern!(
            r"(?i)\busing\s+(?:gin|gist|brin|btree|hash)\b|jsonb|timestamptz|::\w+
            |\bconcurrently\b|language plpgsql|atomic\s*=\s*false"
        )
        .is_match(&whole);
        let table = pattern!(r"(?i)\bON\s+(?:ONLY\s+)?[\x22`\[]?(?:\w+\.)?(\w+)")
            .find(&text)
            .map(|h| h.group(1).to_owned())
            .unwrap_or_default();
        if was || (postgres && !table.is_empty() && !created_here(file, at, &table)) {
            return Some((
                if was { 82 } else { 62 },
                "blocks-writes",
                format!(
                    "The index is built under a lock: \
                nobody can write to `{table}` until it is done. Use CREATE INDEX CONCURRENTLY, outside a \
                transaction."
                ),
            ));
        }
    }
    let rails = pattern!(r"\badd_index\b");
    if rails.is_match(live) && !lower.contains("concurrently") {
        let was = file
            .lines
            .iter()
            .any(|l| l.is_removed() && (l.live.contains("concurrently") || l.live.contains("disable_ddl_transaction")));
        if was {
            return Some((
                82,
                "blocks-writes",
                "The index is now built under a lock: nobody can write to the table \
                until it is done. Keep `algorithm: :concurrently` and `disable_ddl_transaction!`."
                    .to_owned(),
            ));
        }
    }
    None
}

/// A rule that the rows there may break already.
pub fn unique(file: &FileView, at: usize) -> Option<String> {
    let live = file.lines[at].live.as_str();
    let adds = pattern!(
        r"(?i)\bALTER\s+TABLE\s+(?:ONLY\s+)?[\x22`\[]?(?:\w+\.)?(\w+)[\x22`\]]?\s+ADD\s+(?:CONSTRAINT\s+\S+\s+)?UNIQUE\s*(?:KEY\s+)?\S*\s*\(
            |\bCREATE\s+UNIQUE\s+INDEX\s+(?:IF\s+NOT\s+EXISTS\s+)?\S+\s+ON\s+[\x22`\[]?(?:\w+\.)?(\w+)"
    );
    let hit = adds.find(live)?;
    let table = if hit.group(1).is_empty() { hit.group(2) } else { hit.group(1) };
    if created_here(file, at, table)
        || file
            .lines
            .iter()
            .any(|l| pattern!(r"(?i)DELETE\s+FROM|row_number|distinct|duplicate|ADD\s+COLUMN").is_match(&l.live))
    {
        return None;
    }
    Some(format!(
        "If `{table}` holds equal values already, this fails and the release with it; the check of all \
        rows holds a lock. Look for duplicates first, and build the index concurrently."
    ))
}

/// UPDATE or DELETE of all rows.
pub fn without_where(file: &FileView, at: usize) -> Option<String> {
    let live = file.lines[at].live.as_str();
    let text = statement(file, at);
    let deletes = pattern!(r"(?i)(?:^\s*|[\x22'`(]\s*)DELETE\s+FROM\s+[\w.\x22`\[\]]+\s*(?:;|[\x22'`)]|$)");
    if deletes.is_match(live)
        && !pattern!(r"(?i)\b(?:where|using|limit)\b").is_match(&text)
        && !kept_elsewhere(file, "insert into")
    {
        return Some("The DELETE has no WHERE: every row goes.".to_owned());
    }
    let updates = pattern!(
        r"(?i)^\s*UPDATE\s+[\w.\x22`]+\s+SET\s+[\x22`]?(\w+)[\x22`]?\s*=\s*(?:'[^']*'|-?\d+|NULL|true|false)\s*;"
    );
    if let Some(hit) = updates.find(live) {
        let added = file
            .lines
            .iter()
            .any(|l| !l.is_removed() && pattern!(r"(?i)\bADD\b").is_match(&l.live) && l.live.contains(hit.group(1)));
        if !added {
            return Some(format!(
                "The UPDATE has no WHERE: `{}` of every row is overwritten, and nothing brings the old values back.",
                hit.group(1)
            ));
        }
    }
    None
}
