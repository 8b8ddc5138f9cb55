//! SQL put together from strings with something in it that is not constant.

use super::constant::is_safe;
use super::dynamic::{dynamics, Dynamic};
use super::{pattern, Report};
use crate::finding::{Kind, Severity};
use crate::lang::Lang;
use crate::view::{FileView, Source, View};

const QUOTERS: &[&str] = &[
    "quote",
    "escape",
    "sanitize",
    "ident",
    "literal",
    "placeholder",
    "param",
    "bind",
    "whitelist",
    "allowed",
    "validate",
    "prefix",
    "column",
    "table",
    "schema",
    "fields",
    "clause",
    "wheres",
    "conditions",
    "marks",
    "dialect",
    "addslashes",
];

pub fn find(view: &View, report: &mut Report) {
    for file in &view.files {
        if file.place.is_harmless() || file.place.migration && file.lang != Lang::Sql {
            continue;
        }
        if file.lang == Lang::Xml {
            mapper(file, report);
        } else if file.lang.is_code() {
            for at in 0..file.lines.len() {
                if file.lines[at].is_new() {
                    line(file, at, report);
                }
            }
        }
    }
}

fn line(file: &FileView, at: usize, report: &mut Report) {
    let source = &file.lines[at];
    if file.lang == Lang::Sql {
        return statement(file, at, source, report);
    }
    if source.strings.is_empty()
        || is_message(&source.code)
        || file.lang == Lang::CSharp && is_formattable(&source.code)
    {
        return;
    }
    for part in dynamics(file, at) {
        let raw = calls_raw(file, at, source, &part);
        if !raw && !is_sql(&part.literal) && !continues_sql(file, at, &part) && !quoted_near_sql(file, at, &part) {
            continue;
        }
        let asked = is_asked(&part.expression);
        let place = place_of(&part.before);
        // Values of columns and the like are the program's own more often than not.
        let safe =
            is_safe(file, at, &part.expression, QUOTERS) && !(asked && !is_safe(file, at, &part.expression, SURE));
        let score = match place {
            Place::Value if !safe => 78,
            Place::Name if asked && !safe => 62,
            Place::Other if raw && asked && !safe => 64,
            _ => continue,
        };
        let bound = file.pair_of(at).is_some_and(|old| has_parameter(old.text()));
        let score = score + if asked { 8 } else { 0 } + if bound { 10 } else { 0 };
        let message = format!(
            "`{}` is put into the text of an SQL statement; whoever chooses its value can change the statement. Pass it as \
             a parameter{}.",
            short(&part.expression),
            if place == Place::Name { ", or choose the name from a fixed list" } else { "" }
        );
        return report.add(file, at, Kind::SqlInjection, "sql-from-strings", Severity::High, score, message);
    }
}

/// Quoters that leave no doubt.
const SURE: &[&str] = &["quote", "escape", "sanitize", "placeholder", "allowed", "whitelist"];

pub fn short(expression: &str) -> String {
    let mut text: String = expression.chars().take(60).collect();
    if text.len() < expression.len() {
        text.push('…');
    }
    text.replace('`', "'")
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum Place {
    Value,
    Name,
    Other,
}

fn place_of(before: &str) -> Place {
    let before = before.trim_end();
    let value =
        pattern!(r#"(?i)(?:[=<>'"%]|\bin\s*\(|\blike|\bvalues\s*\(|\bbetween|\blimit|\boffset|\bany\s*\(['{]*|,\s*)$"#);
    let name =
        pattern!(r"(?i)\b(?:from|into|update|table|join|by|select|asc|desc|index|database|user|schema|on)$|[.`\[]$");
    if name.is_match(before) {
        Place::Name
    } else if value.is_match(before) {
        let listed = before.ends_with(',') && !pattern!(r"(?i)\bvalues\s*\(|\bin\s*\(").is_match(before);
        // After ORDER BY a comma parts names; so it does in the list of a SELECT.
        if listed {
            Place::Other
        } else {
            Place::Value
        }
    } else {
        Place::Other
    }
}

pub fn is_sql(text: &str) -> bool {
    let upper = pattern!(
        r"\bSELECT\b.*\bFROM\b|\bSELECT\s+(?:\*|[\w.]+,|COUNT|DISTINCT)|\bINSERT\s+(?:IGNORE\s+)?INTO\b
            |\bUPDATE\s+\S+\s+SET\b|\bDELETE\s+FROM\b|\bWHERE\s+[\w.\x22`\[(]+|\bORDER\s+BY\b|\bGROUP\s+BY\b
            |\bVALUES\s*\(|^\s*(?:AND|OR)\s+[\w.\x22`(]+\s*(?:=|<|>|!|LIKE|ILIKE|IN|IS|BETWEEN)|\b(?:LEFT
            |INNER)\s+JOIN\b|\b(?:DROP|CREATE|ALTER)\s+(?:TABLE|USER|DATABASE|ROLE|SCHEMA|INDEX|VIEW)\b|\bILIKE\b
            |\bLIKE\s+'|^\s*(?:CALL|EXEC)\s+\w+|\bUNION\s+(?:ALL\s+)?SELECT\b|\bSET\s+PASSWORD|\bGRANT\s+\w+"
    );
    let lower = pattern!(
        r"^\s*\(?(?:select\s+[\w*.,\s()]+\s+from\s+\S+|insert\s+into\s+\S+\s*(?:\(|values|select)
            |update\s+\S+\s+set\s+\S+\s*=|delete\s+from\s+\S+)|\bwhere\s+[\w.]+\s*(?:=|like|in\s*\(|<|>)|^\s*(?:and
            |or)\s+[\w.]+\s*(?:=|like|in\s*\()\s*"
    );
    upper.is_match(text) || lower.is_match(text)
}

/// A piece whose SQL begins on a line above, in the same literal or the same sum of literals.
fn continues_sql(file: &FileView, at: usize, part: &Dynamic) -> bool {
    let quote = pattern!(r#"(?:=|<|>|like|LIKE|,|\()\s*'?%?$"#);
    if !quote.is_match(part.before.trim_end()) || part.literal.contains("://") {
        return false;
    }
    let own = file.lines[at].strings.len();
    let mut above = file.above(at, 6).take_while(|l| !l.code.trim_end().ends_with([';', '{']) && !l.is_blank());
    own > 0
        && above.any(|l| l.strings.iter().any(|s| is_sql(l.string(s))))
        && pattern!(r"\b[a-z_]+\s*(?:=|<|>|,|\(|LIKE|IN)").is_match(&part.before)
}

/// A value between single quotes, beside text that is SQL: `"'" + x + "'"` in the making of a statement.
fn quoted_near_sql(file: &FileView, at: usize, part: &Dynamic) -> bool {
    let quoted =
        part.before.ends_with('\'') && part.after.starts_with('\'') && part.before.matches('\'').count() % 2 == 1;
    let plain = !part.literal.contains(['<', '`'])
        && !part.before.trim_end_matches('\'').ends_with(|c: char| c.is_alphanumeric());
    let text = pattern!(r"\bIN\s*\(|\bLIKE\b|\bILIKE\b");
    let is_near = |l: &Source| l.strings.iter().any(|s| is_sql(l.string(s)) || text.is_match(l.string(s)));
    quoted && plain && (file.above(at, 12).any(is_near) || file.below(at, 12).any(is_near))
}

/// Calls that take a piece of SQL as it is.
fn calls_raw(file: &FileView, at: usize, source: &Source, part: &Dynamic) -> bool {
    let raw = pattern!(
        r"(?:whereRaw|orderByRaw|havingRaw|selectRaw|groupByRaw|DB::raw|DB::select|DB::statement|DB::unprepared
            |find_by_sql|Arel\.sql|RawSQL|FromSqlRaw|ExecuteSqlRaw(?:Async)?|queryRawUnsafe|executeRawUnsafe
            |mysqli_query|mysql_query|pg_query|sqlite_query|execSQL|rawQuery|createNativeQuery|createSQLQuery
            |executesql|sequelize\.literal|knex\.raw|\.raw|gorm\.Expr|sql\.raw|SqlQuery|find_by_sql|count_by_sql
            |exec_query)\s*\(\s*$|db\w*\.(?:Where|Having|Order|Raw|Exec|Joins|Group)\(\s*$"
    );
    let rails = pattern!(r"(?:^|\.|\s)(?:where|order|having|joins|group|pluck|exists\?|reorder|find_by)\(?\s*$");
    let before = source.code.get(..part.column.saturating_sub(1)).unwrap_or("").trim_end_matches(['$', '@', 'f', 'N']);
    let before = before.trim_end().trim_end_matches("fmt.Sprintf(").trim_end_matches("String.format(");
    // Query builders take a condition as text; only a quoted value in it is a slip for sure.
    let builder = pattern!(r"\.(?:where|andWhere|orWhere|having|andHaving)\(\s*$");
    raw.is_match(before)
        || (builder.is_match(before) && part.before.ends_with('\'') && part.after.starts_with('\''))
        || (file.lang == Lang::Ruby && rails.is_match(before))
        || (before.trim().is_empty() && file.above(at, 1).any(|l| raw.is_match(l.code.trim_end())))
}

/// Names of what comes from outside.
pub fn is_asked(expression: &str) -> bool {
    pattern!(
        r"(?i)\b(?:request|req|params|\$_(?:GET|POST|REQUEST|COOKIE|SERVER)|_GET|_POST|_REQUEST|input|argv|form
            |payload|querystring|getparameter|user_input|searchterm|body|args|cgi)\b|(?:request|params|input
            |query)(?:\.|\[|->|\()"
    )
    .is_match(expression)
}

fn has_parameter(text: &str) -> bool {
    pattern!(r#"=\s*\?|\(\s*\?|\?\s*[,)]|[=(,]\s*(?:%s|:\w+|@\w+|\$\d+)|%\(\w+\)s|#\{\w"#).is_match(text)
}

fn is_message(code: &str) -> bool {
    pattern!(
        r"(?i)\b(?:log|logger|logging|console|print|println|printf|echo|raise|throw|panic|warn|warning|debug|info
            |error|errorf|fatal|assert\w*|trace|notify|puts|flash|abort|fail|describe|it|new \w*(?:error
            |exception))\b\s*[.(!]|\b(?:raise|throw)\b"
    )
    .is_match(code)
}

/// Entity Framework makes parameters of an interpolated string handed to these.
fn is_formattable(code: &str) -> bool {
    pattern!(r"Interpolated(?:Async)?\s*\(|\.(?:FromSql|SqlQuery(?:<[^>]*>)?|ExecuteSql(?:Async)?)\s*\(\s*\$")
        .is_match(code)
}

/// Procedures: `EXECUTE '…' || x`, `format('…%s…', x)`, `SET @sql = N'…' + @x`.
fn statement(file: &FileView, at: usize, source: &Source, report: &mut Report) {
    let live = source.live.as_str();
    let quoted = pattern!(r"(?i)quote_ident|quote_literal|quote_nullable|quotename|dbms_assert");
    if !live.contains('\'') || quoted.is_match(live) {
        return;
    }
    let joined = pattern!(
        r"(?i)'\s*(?:\|\||\+)\s*(?:CAST\(|CONVERT\(|COALESCE\()?\s*(@?[a-z_][\w.]*)|(@?[a-z_]\w*)\s*(?:\|\||\+)\s*N?'"
    );
    let placed = pattern!(r"(?i)\bformat\s*\(\s*N?E?'((?:[^']|'')*)'\s*,\s*([^;]*)");
    let name = if let Some(hit) = placed.find(live).filter(|hit| hit.group(1).contains("%s")) {
        let safe = pattern!(r"(?i)^\s*(?:'|\d)");
        if !is_fragment(hit.group(1)) || safe.is_match(hit.group(2)) || !value_hole(hit.group(1)) {
            return;
        }
        hit.group(2).split([',', ')']).next().unwrap_or("").trim().to_owned()
    } else if let Some(hit) = joined.find(live) {
        if !source.strings.iter().any(|s| is_fragment(source.string(s))) {
            return;
        }
        if hit.group(1).is_empty() {
            hit.group(2).to_owned()
        } else {
            hit.group(1).to_owned()
        }
    } else {
        return;
    };
    let runs = pattern!(r"(?i)\b(?:execute|exec|sp_executesql|prepare)\b");
    let builds = pattern!(r"(?i)(?:sql|query|stmt|where|cmd|command)\w*\s*(?::=|=|\|\|)");
    let near =
        file.above(at, 60).chain(file.below(at, 60)).any(|l| runs.is_match(&l.code)) || runs.is_match(&source.code);
    let own = pattern!(r"(?i)^(?:v_)?(?:sql|query|where|stmt|table|tbl|schema|col|cols|sep|r|rec)\w*$").is_match(&name);
    if !near && !builds.is_match(&source.code) || own || name.is_empty() {
        return;
    }
    let message = format!(
        "`{}` is put into a dynamic statement as text. Use a parameter (USING, sp_executesql with arguments) or %L \
            and %I.",
        short(&name)
    );
    report.add(file, at, Kind::SqlInjection, "dynamic-sql", Severity::High, 82, message);
}

fn is_fragment(text: &str) -> bool {
    is_sql(text)
        || pattern!(r"(?i)^\s*(?:and|or)\s+[\w.]+|\bwhere\b|\blike\b|\border\s+by\b|\bset\s+\w+\s*=").is_match(text)
}

/// A hole that takes a value, not the name of a table.
fn value_hole(text: &str) -> bool {
    pattern!(r"(?i)(?:=|<|>|like|in\s*\(|any\s*\(|'|\{|%%|values\s*\(|limit|offset)\s*(?:'|\{|%%|\()*%s|order by %s")
        .is_match(text)
}

/// MyBatis: `${x}` is text, `#{x}` a parameter.
fn mapper(file: &FileView, report: &mut Report) {
    let mapper = file.lines.iter().any(|l| {
        let text = l.text();
        text.contains("mybatis") || text.contains("<mapper") || text.contains("<select ") || text.contains("<if test=")
    }) || file.path.ends_with("Mapper.xml");
    if !mapper {
        return;
    }
    let hole = pattern!(r"\$\{([\w.]+)\}");
    for at in 0..file.lines.len() {
        let source = &file.lines[at];
        let Some(hit) = hole.find(&source.live).filter(|_| source.is_new()) else { continue };
        let place = place_of(&source.live[..hit.start()]);
        let was = file.pair_of(at).is_some_and(|old| old.text().contains(&format!("#{{{}", hit.group(1))));
        let score = match place {
            Place::Value => 80,
            Place::Name if pattern!(r"(?i)\bby\s*$").is_match(&source.live[..hit.start()]) => 60,
            _ if was => 80,
            _ => continue,
        };
        let message =
            format!("`${{{}}}` is put into the statement as text; `#{{…}}` makes it a parameter.", hit.group(1));
        report.add(
            file,
            at,
            Kind::SqlInjection,
            "sql-from-strings",
            Severity::High,
            score + u32::from(was) * 8,
            message,
        );
    }
}
