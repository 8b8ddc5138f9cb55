//! Checks that went: of rights, of input, of bounds, of emptiness, of age.

use std::collections::HashSet;

use super::{pattern, Report};
use crate::finding::{Kind, Severity};
use crate::lang::Lang;
use crate::pattern::Pattern;
use crate::view::{likeness, words_of, Block, FileView, View};

pub fn find(view: &View, report: &mut Report) {
    let large = view.files.len() > 40;
    for file in &view.files {
        if file.place.is_harmless() || !(file.lang.is_code() || file.lang == Lang::Html) || file.is_deleted_file() || file.lang == Lang::Sql {
            continue;
        }
        for at in 0..file.lines.len() {
            let line = &file.lines[at];
            if file.lang == Lang::Html {
                if line.is_new() {
                    unsafe_form(file, at, report);
                }
            } else if line.is_gone() && !line.is_blank() {
                guard_mark(view, file, at, report);
                if !large {
                    call(view, file, at, report);
                }
            } else if line.is_new() && !line.is_blank() {
                let _ = bypass(file, at, report) || unsafe_form(file, at, report) || narrower(view, file, at, report) || unwrapped(view, file, at, report);
            }
        }
        if !large && file.lang != Lang::Html {
            for block in &file.blocks {
                guard(view, file, block, report);
            }
        }
    }
}

fn say(report: &mut Report, file: &FileView, at: usize, rule: &'static str, score: u32, message: String) -> bool {
    let severity = if score >= 70 { Severity::High } else { Severity::Medium };
    report.add(file, at, Kind::RemovedCheck, rule, severity, score, message);
    true
}

/// Words of rights, and of who owns what.
fn is_about_rights(text: &str) -> bool {
    let plain = text.replace("author", "").replace("Author", "");
    pattern!(r"(?i)auth|permission|permit|allowed|forbidden|unauthori|admin|role|owner|tenant|csrf|acl\b|privilege|signature|login|logged|session|access|policy|scope|verified|can_|\bcan[A-Z]|superuser|staff|belongs|current_?user|user_?id|capabilit|hmac|captcha|mfa|otp|trusted|origin|guest|anonymous").is_match(&plain)
        || (text.contains("uthoriz") || text.contains("uthoris"))
}

/// Decorators, annotations, filters and middleware that guard a function.
fn guard_marks() -> &'static Pattern {
    pattern!(
        r"^\s*@(?:[\w.]+\.)?(?:login_required|permission_required|user_passes_test|staff_member_required|superuser_required|require_\w+|requires_\w+|authenticated|auth_required|jwt_required|admin_required|role_required|roles_required|csrf_protect|has_permission|permission_classes|authentication_classes|token_required|fresh_login_required|PreAuthorize|PostAuthorize|Secured|RolesAllowed|RequiresPermissions?|RequiresRoles|UseGuards|Roles|Authorized|Valid|Validated|NotNull|NotBlank|Size|Max|Min|validate\w*|limiter\.limit|ratelimit|rate_limit|throttle\w*)\b|^\s*\[(?:Authorize|ValidateAntiForgeryToken|RequireHttps|Required|RequiresClaim|AutoValidateAntiforgeryToken|StringLength|Range|MaxLength)\b|^\s*(?:before_action|before_filter|prepend_before_action)\s+:?\w*(?:auth|login|require|verify|check|ensure|admin|permission|owner)\w*|^\s*(?:protect_from_forgery|verify_authenticity_token|authorize!?|authorize_resource|load_and_authorize_resource|doorkeeper_authorize!|authenticate_\w+!)\b|^\s*(?:app|router|server|api)\.use\(\s*(?:['\x22][^'\x22]*['\x22],\s*)?[\w.]*(?:auth|csrf|csurf|helmet|rateLimit|[lL]imiter|session|verify|requireUser|protect)\w*|->middleware\(.*(?:auth|can:|verified|throttle|role|signed)|^\s*#\[(?:IsGranted|Security)\b|plug\s+:?\w*(?:auth|require|ensure|verify|protect)\w*|^\s*(?:permission_classes|authentication_classes)\s*="
    )
}

/// A guard's mark that went from a function or a route that stays.
fn guard_mark(view: &View, file: &FileView, at: usize, report: &mut Report) {
    let line = &file.lines[at];
    let live = line.live.as_str();
    let mark = guard_marks();
    let validation = pattern!(r"^\s*@(?:Valid|Validated|NotNull|NotBlank|Size|Max|Min)\b|^\s*\[(?:Required|StringLength|Range|MaxLength)\b");
    if mark.is_match(live) {
        let count = |added: bool| {
            view.files.iter().flat_map(|f| &f.lines).filter(|l| if added { l.is_added() } else { l.is_removed() }).filter(|l| mark.is_match(&l.live)).count()
        };
        let replaced = file.pair_of(at).is_some_and(|new| {
            mark.is_match(&new.live) || words_of(&new.live).any(|w| is_about_rights(w) && !words_of(live).any(|x| x == w))
        });
        // What it guarded went too?
        let next = file.lines[at + 1..].iter().take(6).find(|l| !l.is_blank() && !l.code.trim_start().starts_with(['@', '[', '#']));
        let guarded_gone = next.is_some_and(|l| l.is_gone() && l.pair.is_none());
        let elsewhere = view.files.iter().flat_map(|f| &f.lines).any(|l| l.is_new() && mark.is_match(&l.live));
        if replaced || guarded_gone || count(true) >= count(false) || elsewhere {
            return;
        }
        let score = if validation.is_match(live) { 60 } else { 84 };
        let message = "What guarded this entry is removed and not put elsewhere: whoever reaches it may use it now. Put it back, or show where the check is made.";
        say(report, file, at, "lost-guard", score, message.to_owned());
        return;
    }
    // A guard among the arguments of a route.
    let route = pattern!(r"\b(?:router|app|api|route|server|r|mux|group|e)\.(?:get|post|put|patch|delete|all|use|GET|POST|PUT|DELETE|PATCH|Handle|HandleFunc|route)\(");
    let Some(new) = file.pair_of(at).filter(|new| route.is_match(&new.code) && route.is_match(live)) else { return };
    let kept: HashSet<&str> = words_of(new.text()).collect();
    let lost = words_of(line.text()).find(|w| !kept.contains(w) && w.len() > 3 && is_about_rights(w));
    if let Some(word) = lost.filter(|w| !view.adds_word(w)) {
        if words_of(new.text()).any(|w| is_about_rights(w) && !words_of(line.text()).any(|x| x == w)) {
            return;
        }
        let message = format!("The route no longer goes through `{word}`. Put it back, or show where the check is made.");
        say(report, file, at, "lost-guard", 84, message);
    }
}

/// Marks that let everybody in.
fn bypass(file: &FileView, at: usize, report: &mut Report) -> bool {
    let line = &file.lines[at];
    let live = line.live.as_str();
    let opens = pattern!(r"^\s*@csrf_exempt|\[AllowAnonymous\]|^\s*skip_before_action\s+:?\w*(?:auth|verify|login|require|check)|\bAllowAny\b|\.permitAll\(\)|csrf\(\)\.disable\(\)|csrf\s*\(?\s*\{?\s*\w*\s*(?:->|=>)?\s*\w*\.disable\(\)|AbstractHttpConfigurer::disable|protect_from_forgery\s+with:\s*:null_session|withoutMiddleware\(.*auth|^\s*@PermitAll|\[IgnoreAntiforgeryToken|skip_authorization\b|skip_authorize_resource|skip_load_and_authorize");
    let weaker_cookie = pattern!(r"(?i)\b(?:secure|http_?only|sameSite)['\x22]?\s*[:=]>?\s*(?:false|['\x22]?none)|SESSION_COOKIE_(?:SECURE|HTTPONLY)\s*=\s*False|CSRF_COOKIE_SECURE\s*=\s*False");
    let cors = pattern!(r"Access-Control-Allow-Origin['\x22]?\s*[,:=]\s*['\x22]\*|\borigin['\x22]?\s*:\s*(?:['\x22]\*['\x22]|true)|AllowAnyOrigin\(\)|CORS_(?:ORIGIN_)?ALLOW_ALL(?:_ORIGINS)?\s*=\s*True|allow_origins\s*=\s*\[\s*['\x22]\*|AllowAllOrigins|permissive\(\)");
    let old = file.pair_of(at).map_or("", |old| old.live.as_str());
    if opens.is_match(live) && !opens.is_match(old) {
        let next_is_old = file.below(at, 4).find(|l| !l.is_blank()).is_some_and(|l| !l.is_new());
        let was_guarded = is_about_rights(old);
        let harmless = pattern!(r"(?i)health|ping|webhook|login|signin|sign_in|register|metrics|status|public|static|assets|favicon|version|actuator|swagger|docs|callback").is_match(&format!("{live} {}", file.around(at, 2, 3)));
        if file.is_new_file() || harmless {
            return false;
        }
        let score = if was_guarded { 84 } else if next_is_old { 76 } else { 56 };
        let message = "This lets in requests that were checked before. Leave the check in place, or say why nobody can misuse this entry.";
        return say(report, file, at, "check-bypassed", score, message.to_owned());
    }
    if weaker_cookie.is_match(live) && pattern!(r"(?i)true|strict|lax").is_match(old) && likeness(live, old) >= 60 {
        let message = "The cookie can now be read by scripts, or be sent without encryption or from other sites. Keep it `Secure`, `HttpOnly` and `SameSite`.";
        return say(report, file, at, "weaker-cookie", 72, message.to_owned());
    }
    if cors.is_match(live) && !old.is_empty() && !cors.is_match(old) && pattern!(r"(?i)origin|cors").is_match(old) {
        let message = "Every site may now call this with the visitor's browser. Name the origins that may.";
        return say(report, file, at, "open-origin", 74, message.to_owned());
    }
    false
}

/// The form of something that trusts its input, where the careful one stood.
fn unsafe_form(file: &FileView, at: usize, report: &mut Report) -> bool {
    let line = &file.lines[at];
    let Some(old) = file.pair_of(at) else { return false };
    let (was, now) = (old.live.as_str(), line.live.as_str());
    let raw = pattern!(r"dangerouslySetInnerHTML|\|\s*safe\b|\bv-html=|\.innerHTML\s*\+?=|\{!!|\.html_safe\b|\braw\(|Html\.Raw\(|mark_safe\(|autoescape\s+(?:off|false)|<%==|<%-\s|bypassSecurityTrust\w+\(|template\.HTML\(|\{\{\{|th:utext=|\.html\(\s*[a-z]|\{@html");
    let loads = pattern!(r"\byaml\.(?:unsafe_)?load\((?:[^)]*Loader=yaml\.(?:Unsafe|Full)?Loader)?|\bpickle\.loads?\(|\bunserialize\(|\bYAML\.(?:unsafe_)?load\(|\bMarshal\.load|BinaryFormatter|TypeNameHandling\.(?:All|Auto|Objects)|ObjectInputStream\(|(?:^|[^.\w])eval\(|\bexec\(|new Function\(|resolve_entities\s*=\s*True|DtdProcessing\.Parse|LIBXML_NOENT|noent:\s*true|enableDefaultTyping");
    let careful = pattern!(r"(?i)safe_?load|json|literal_eval|safeloader|sanit|escape|\bparse\b|deserializ|permit\(|_params\b|prohibit|textContent|\.text\(|h\(");
    let assign = pattern!(r"\.permit!|to_unsafe_h|\bunguard\(|forceFill\(|fields\s*=\s*['\x22]__all__");
    if raw.is_match(now) && !raw.is_match(was) && likeness(was, now) >= 50 && !pattern!(r"(?i)sanit|purify|escape|bleach").is_match(now) {
        let message = "The text now goes into the page as markup, so whoever wrote it can run scripts for those who read it. Keep it escaped, or sanitise it.";
        return say(report, file, at, "unescaped-value", 74, message.to_owned());
    }
    if loads.is_match(now) && !loads.is_match(was) && careful.is_match(was) && !pattern!(r"(?i)safe_?load|SafeLoader|literal").is_match(now) {
        let message = "This form runs code or builds any object that its input names. Keep the careful form for what comes from outside.";
        return say(report, file, at, "unsafe-load", 76, message.to_owned());
    }
    if assign.is_match(now) && !assign.is_match(was) && careful.is_match(was) {
        let message = "Every field can now be set by the request, also those that only the program may set. Name the fields that may be.";
        return say(report, file, at, "lost-guard", 76, message.to_owned());
    }
    false
}

fn is_condition(lang: Lang, code: &str) -> bool {
    match lang {
        Lang::Python => pattern!(r"^\s*(?:el)?if\b.*|^\s*while\b.*|^\s*assert\b").is_match(code),
        Lang::Ruby | Lang::Elixir => pattern!(r"^\s*(?:els)?if\b|^\s*unless\b|\b(?:raise|return|head|redirect_to|render|next)\b.*\s(?:if|unless)\s").is_match(code),
        Lang::Swift => pattern!(r"^\s*(?:\}?\s*else\s+)?(?:if|guard)\b").is_match(code),
        Lang::Shell => pattern!(r"^\s*(?:el)?if\b|^\s*\[\[?\s.*\]\]?\s*(?:\|\||&&)|^\s*test\s").is_match(code),
        Lang::Perl => pattern!(r"^\s*(?:\}?\s*els)?if\b|^\s*unless\b|\b(?:die|return)\b.*\s(?:if|unless)\s").is_match(code),
        _ => pattern!(r"^\s*\}?\s*(?:else\s+)?(?:if|while)\s*(?:let\b)?.*").is_match(code),
    }
}

fn leaves(code: &str) -> bool {
    pattern!(r"\breturn\b|\bthrow\b|\braise\b|\bbreak\b|\bcontinue\b|\bgoto\b|\bpanic!?\(|\bexit\b|\babort\b|\bdie\b|\bbail!|\bnext\b|\bhead\b|\brender\b|redirect|\bfail\b|\breject\(|\bres\.(?:status|sendStatus)|http\.Error\(|\breturn Err|ensure!").is_match(code)
}

/// `if (…) { leave }` that went from a function that stays.
fn guard(view: &View, file: &FileView, block: &Block, report: &mut Report) {
    let gone: Vec<usize> = block.removed.iter().copied().filter(|at| !file.lines[*at].is_blank()).collect();
    if gone.is_empty() || gone.len() > 14 || file.lines[gone[0]].moved {
        return;
    }
    let mut number = 0;
    while number < gone.len() {
        let at = gone[number];
        let line = &file.lines[at];
        number += 1;
        if !is_condition(file.lang, &line.code) || line.pair.is_some() || line.moved {
            continue;
        }
        let end = guard_end(file, &gone, number - 1);
        let body = &gone[number - 1..end];
        let all_gone = body.iter().all(|i| file.lines[*i].pair.is_none_or(|other| likeness(file.lines[*i].text(), file.lines[other].text()) < 75));
        let exits = body.iter().any(|i| leaves(&file.lines[*i].code));
        if exits && all_gone && body.len() <= 8 && stays(file, block, at, *body.last().unwrap_or(&at)) {
            judge(view, file, block, at, body, report);
        }
        number = end.max(number);
    }
}

/// Where the lines of a guard end in a list of removed lines.
fn guard_end(file: &FileView, gone: &[usize], first: usize) -> usize {
    let indent = file.lines[gone[first]].indent();
    let mut end = first + 1;
    let single = !file.lines[gone[first]].code.trim_end().ends_with(['{', ':', '(', ',', '|', '&'])
        && leaves(&file.lines[gone[first]].code);
    if single {
        return end;
    }
    while end < gone.len() && gone[end] == gone[end - 1] + 1 {
        let line = &file.lines[gone[end]];
        if line.indent() < indent {
            break;
        }
        if line.indent() == indent {
            let closes = pattern!(r"^\s*(?:\}|end\b|fi\b|\)|\{)").is_match(&line.code);
            if closes {
                end += 1;
                if pattern!(r"^\s*\{").is_match(&line.code) {
                    continue;
                }
            }
            break;
        }
        end += 1;
    }
    end
}

/// The function around the guard is still there: lines of it stand on both sides of the block.
fn stays(file: &FileView, block: &Block, first: usize, last: usize) -> bool {
    let declares = pattern!(r"^\s*(?:(?:public|private|protected|internal|static|async|export|final|override|pub|virtual|inline|def|func|function|fn|fun|class|module|interface|impl)\b)");
    let removes_function = block.removed.iter().any(|i| *i < first && declares.is_match(&file.lines[*i].code) && file.lines[*i].pair.is_none());
    let indent = file.lines[first].indent();
    let below = file.lines[last + 1..].iter().take(12).find(|l| !l.is_removed() && !l.is_blank());
    // After the guard something at its own depth goes on.
    !removes_function && below.is_some_and(|l| l.hunk == file.lines[first].hunk && l.indent() >= indent)
}

fn judge(view: &View, file: &FileView, block: &Block, at: usize, body: &[usize], report: &mut Report) {
    let line = &file.lines[at];
    let code = line.code.as_str();
    let condition = condition_of(code);
    let text: String = body.iter().map(|i| file.lines[*i].live.as_str()).collect::<Vec<_>>().join(" ");
    if text.len() > 800 || is_trivial(&condition) {
        return;
    }
    // Something like it is added: the check moved or was written anew.
    let named: Vec<&str> = words_of(&condition).filter(|w| w.len() > 2 && !is_keyword(w)).collect();
    if named.is_empty() || moved(view, file, &condition, &text) || replaced(file, block, &named) {
        return;
    }
    let later: Vec<&str> = file.lines[at..].iter().take(30).filter(|l| !l.is_removed() && l.hunk == line.hunk).map(|l| l.code.as_str()).collect();
    let used = named.iter().any(|w| later.iter().any(|l| words_of(l).any(|x| x == *w)));
    let rights = is_about_rights(&condition) || pattern!(r"(?i)forbidden|unauthori[sz]ed|permission|denied|\b40[13]\b|access").is_match(&text);
    let bounds = pattern!(r"(?i)[<>]=?\s*[\w.()]*(?:len|size|count|max|min|limit|capacity|end|length|\d)|(?:len|size|count|max|limit|length|offset|index|idx|depth|width|height|capacity)\w*(?:\(\w*\))?\s*(?:[<>]|>=|<=)").is_match(&condition);
    let path = pattern!(r"(?i)\.\.|startsWith|HasPrefix|start_with|starts_with|isAbs|traversal|basename|realpath|canonical|symlink|whitelist|allowlist|allowed|blocked|deny").is_match(&format!("{} {}", line.live, text));
    let age = pattern!(r"(?i)expir|revoked|deadline|not_?before|ttl|valid_?until|\bage\b|stale|timestamp|locked|disabled|suspended|banned").is_match(&condition);
    let valid = pattern!(r"(?i)valid|verif|check|sanit|match|regex|format|schema|require|missing|invalid|malformed|isNaN|signature|checksum|crc|hash|digest").is_match(&format!("{condition} {text}"));
    let null = pattern!(r"(?i)\bnull\b|\bnil\b|None\b|undefined|nullptr|is_none|isEmpty|is_empty|\bempty\(|!\s*\w+\s*\)?\s*$|^\s*not \w+").is_match(&condition);
    let error = pattern!(r"\b(?:err|error|ret|rc|errno|status|exc|ex)\b").is_match(&condition) && !rights;
    let errs = pattern!(r"(?i)\bthrow\b|\braise\b|error|\babort\b|\bpanic|\breturn\s+-|\bfail|bail!|Err\(|\bdie\b|EINVAL|invalid|exit|false\b|goto").is_match(&text);
    if pattern!(r"\.ok\b|\bstatus(?:_?[cC]ode)?\b|StatusCode|is_success").is_match(&condition) && !rights {
        return;
    }
    if error {
        return dropped_error(file, at, block, report);
    }
    let removed_only = block.added.iter().all(|i| file.lines[*i].is_blank());
    let score: i32 = match (rights, path, age, bounds, valid, null) {
        (true, ..) => 78,
        (_, true, ..) => 76,
        (_, _, true, ..) => 72,
        (_, _, _, true, ..) if errs => 70,
        (_, _, _, _, true, _) if errs => 68,
        (_, _, _, true, ..) => 56,
        (_, _, _, _, _, true) if errs => 58,
        (_, _, _, _, _, true) => 46,
        _ => 40,
    };
    let score = score + if used { 4 } else { -8 } - if removed_only { 0 } else { 8 } - if view.files.len() > 12 { 6 } else { 0 } - if meant(view) { 14 } else { 0 };
    let what = if rights { "who may do this" } else if path { "where this may point" } else if age { "whether this still holds" } else if bounds { "how large this may be" } else { "what comes in" };
    let message = format!("The check of {what} (`{}`) is removed, and nothing in the change takes its place. Put it back, or show where it is made now.", super::sql::short(condition.trim()));
    say(report, file, at, "removed-guard", score.max(0) as u32, message);
}

fn meant(view: &View) -> bool {
    view.says(&["unreachable", "dead code", "redundant", "never null", "cannot be null", "can't be null", "no longer need", "unneeded", "unnecessary", "already check", "checked by", "checks now", "drop support", "remove support", "removes support", "guaranteed", "never happens", "is done by", "moved", "moves", "revert"])
}

fn condition_of(code: &str) -> String {
    let trimmed = code.trim().trim_start_matches('}').trim();
    let inner = pattern!(r"^(?:else\s+)?(?:if|elif|elsif|unless|while|guard|assert)\b\s*(.*)").find(trimmed).map_or(trimmed, |hit| hit.group(1));
    inner.trim_end_matches(['{', ':']).trim_end().to_owned()
}

/// Conditions on what the program itself switches.
fn is_trivial(condition: &str) -> bool {
    pattern!(r"(?i)debug|verbose|log(?:ger|ging)?\b|feature|flag|__name__|TYPE_CHECKING|version|platform|process\.env|NODE_ENV|\btrue\b|\bfalse\b\s*\)?$|dry_?run|quiet|cache|dirty|first|done\b|\bi\s*[<=>]|initiali[sz]ed|mounted|loading|isopen|visible|hover|enabled|supports|compat|legacy|profil|metrics|tracing|unlikely\(\s*\w+\s*\)$").is_match(condition)
}

fn is_keyword(word: &str) -> bool {
    matches!(word, "if" | "not" | "and" | "or" | "null" | "None" | "nil" | "true" | "false" | "this" | "self" | "len" | "let" | "Some" | "the" | "undefined" | "typeof" | "instanceof" | "isinstance" | "nullptr" | "unless" | "return" | "throw" | "raise" | "new" | "else" | "in" | "is" | "length" | "size")
        || word.bytes().all(|b| b.is_ascii_digit())
}

/// A line like the guard's condition, or its message, stands among the added ones.
fn moved(view: &View, file: &FileView, condition: &str, text: &str) -> bool {
    let message = pattern!(r#"["'`]([^"'`]{12,})["'`]"#).find(text).map(|hit| hit.group(1).to_owned());
    let error = pattern!(r"\b(E[A-Z]{4,}|[A-Z]\w+(?:Exception|Error)|Err[A-Z]\w+|HTTP_\d+\w*)\b").find(text).map(|hit| hit.group(1).to_owned());
    view.files.iter().filter(|f| !f.place.test && !f.place.docs).flat_map(|f| f.lines.iter().map(move |l| (f, l))).filter(|(_, l)| l.is_new() && !l.is_blank()).any(|(other, l)| {
        let same = likeness(&l.code, condition) >= 60;
        let said = message.as_ref().is_some_and(|m| l.live.contains(m.as_str()));
        let raised = error.as_ref().is_some_and(|e| l.code.contains(e.as_str()) && other.path == file.path && leaves(&l.code));
        same || said || raised
    })
}

/// The lines added in its place use what the guard looked at, in a condition or a call that checks.
fn replaced(file: &FileView, block: &Block, named: &[&str]) -> bool {
    let checks = pattern!(r"(?i)\bif\b|\?|valid|check|assert|verif|ensure|require|\bmatch\b|\bswitch\b|\bwhen\b|unless|guard|clamp|\bmin\(|\bmax\(|filter|Optional|orElse|unwrap|\bcatch\b|\bfor\b|\bforeach\b|\|\||&&|\bor\b|\band\b|authori|permit|allow");
    block.added.iter().any(|i| {
        let code = &file.lines[*i].code;
        checks.is_match(code) && words_of(code).any(|w| named.contains(&w))
    })
}

/// `if (err) return err;` after a call that stays: an ignored error rather than a missing check.
fn dropped_error(file: &FileView, at: usize, block: &Block, report: &mut Report) {
    let before = file.lines[..at].iter().rev().take(6).find(|l| !l.is_blank() && (!l.is_removed() || l.pair.is_some()));
    let calls = before.is_some_and(|l| l.code.contains('(') && l.hunk == file.lines[at].hunk && !l.is_added());
    if !calls || !block.added.iter().all(|i| file.lines[*i].is_blank()) {
        return;
    }
    report.add(
        file,
        at,
        Kind::SwallowedError,
        "error-not-checked",
        Severity::High,
        72,
        "The result of the call above is no longer looked at: when it fails, what follows runs as if it had not. Keep the check.".to_owned(),
    );
}

/// A condition that lost one of its parts.
fn narrower(view: &View, file: &FileView, at: usize, report: &mut Report) -> bool {
    let line = &file.lines[at];
    let Some(old) = file.pair_of(at) else { return false };
    let conditional = |code: &str| is_condition(file.lang, code) || pattern!(r"^\s*return\b.*(?:&&|\|\||\band\b|\bor\b|[<>=])|^\s*(?:\w+\s+)?\w+\s*:?=\s*.*(?:&&|\|\|)").is_match(code);
    if !conditional(&old.code) || !(conditional(&line.code) || pattern!(r"^\s*return\b|=\s*\S").is_match(&line.code)) {
        return false;
    }
    let (before, after) = (clauses(&old.live), clauses(&line.live));
    if before.1.len() <= after.1.len() || after.1.is_empty() || !after.1.iter().all(|c| before.1.contains(c)) {
        return bound_moved(file, at, report);
    }
    let lost: Vec<&String> = before.1.iter().filter(|c| !after.1.contains(c)).collect();
    let text = lost.iter().map(|c| c.as_str()).collect::<Vec<_>>().join(" && ");
    let names: Vec<&str> = words_of(&text).filter(|w| w.len() > 2 && !is_keyword(w)).collect();
    if names.is_empty() || is_trivial(&text) || moved(view, file, &text, &text) {
        return false;
    }
    let exits = leaves(&file.around(at, 0, 2));
    let returned = pattern!(r"^\s*return\b").is_match(&line.code);
    let widens = match before.0 {
        '|' => exits && !returned,
        '&' => !exits || returned || file.lang == Lang::Swift,
        _ => false,
    };
    let rights = is_about_rights(&text);
    let weighty = pattern!(r"(?i)valid|expir|len|size|max|null|nil|none|empty|check|verif|limit|bound|<|>|\.\.|active|enabled|deleted|locked|revoked|kind|type").is_match(&text);
    if !widens || !(rights || weighty) {
        return false;
    }
    let score = if rights { 80 } else { 64 } - if meant(view) { 14 } else { 0 } - if view.files.len() > 12 { 6 } else { 0 };
    let message = format!("The condition no longer asks for `{}`. Put that part back, or show where it is checked now.", super::sql::short(&text));
    say(report, file, at, "narrower-check", score, message)
}

/// The parts of a condition and what joins them; nothing if they are mixed.
fn clauses(live: &str) -> (char, Vec<String>) {
    let text = live.trim().trim_start_matches('}').trim();
    let text = pattern!(r"^(?:else\s+)?(?:if|elif|elsif|unless|while|guard|assert|return)\b\s*(?:let\s+)?(.*)").find(text).map_or(text, |hit| hit.group(1));
    let text = text.trim_end_matches(['{', ':', ';', ' ']).trim();
    let text = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')).filter(|t| balanced(t)).unwrap_or(text);
    let unified = text.replace(" and ", " && ").replace(" or ", " || ").replace(" AND ", " && ").replace(" OR ", " || ");
    let (ands, ors) = (top_level(&unified, "&&"), top_level(&unified, "||"));
    let tidy = |parts: Vec<&str>| parts.iter().map(|p| p.split_whitespace().collect::<String>()).collect::<Vec<_>>();
    match (ands.len(), ors.len()) {
        (1, 1) => (' ', tidy(ands)),
        (_, 1) => ('&', tidy(ands)),
        (1, _) => ('|', tidy(ors)),
        _ => ('?', tidy(ors)),
    }
}

fn balanced(text: &str) -> bool {
    let mut depth = 0;
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

fn top_level<'t>(text: &'t str, sign: &str) -> Vec<&'t str> {
    let mut parts = Vec::new();
    let (mut depth, mut from) = (0i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ if depth == 0 && at >= from && text[at..].starts_with(sign) => {
                parts.push(&text[from..at]);
                from = at + sign.len();
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

/// `>=` became `>` in a guard on a size: one too many gets through.
fn bound_moved(file: &FileView, at: usize, report: &mut Report) -> bool {
    let line = &file.lines[at];
    let Some(old) = file.pair_of(at) else { return false };
    let bound = pattern!(r"^(.*?)(>=|<=|>|<)(.*)$");
    let (Some(before), Some(after)) = (bound.find(old.code.trim()), bound.find(line.code.trim())) else { return false };
    if before.group(1) != after.group(1) || before.group(3) != after.group(3) {
        return false;
    }
    let exits = leaves(&file.around(at, 0, 2)) && is_condition(file.lang, &line.code);
    let weaker = matches!((before.group(2), after.group(2)), (">=", ">") | ("<=", "<"));
    let sizes = pattern!(r"(?i)len|size|count|max|limit|capacity|end\b|num|total|bound");
    let looped = pattern!(r"^\s*(?:for|while)\b").is_match(&line.code) && matches!((before.group(2), after.group(2)), ("<", "<=") | (">", ">="));
    if !(sizes.is_match(before.group(3)) && (exits && weaker || looped)) {
        return false;
    }
    let message = "The bound moved by one: the value equal to it gets through now, which is past the end if it counts elements. Check both ends.";
    say(report, file, at, "bound-moved", 58, message.to_owned())
}

/// A statement that checks and went.
fn call(view: &View, file: &FileView, at: usize, report: &mut Report) {
    let line = &file.lines[at];
    let code = line.code.as_str();
    let checks = pattern!(r"^\s*(?:await\s+|return\s+await\s+|yield\s+)?(?:(?:this|self|super|\w+)(?:\.|->|::))*(_?(?:validate|verify|check|assert|ensure|require|authori[sz]e|authenticate|sanitize|enforce|must|guard|reject)[A-Za-z_]*[!?]?|\w+_(?:check|validate|verify|guard)|(?:\w*[a-z])(?:Check|Validator|Guard))\b\s*(?:<[^>]*>)?(?:\(|\s+\w|!?\s*$)");
    let Some(hit) = checks.find(code) else { return };
    let name = hit.group(1);
    let own_kind = pattern!(r"(?i)^(?:require|assert|checkout|checkbox|checked|require_once|require_relative|requireactual|check_call|check_output|ensure)$|^assert|^ensure_?(?:dir|exists|loaded|init|ready|capacity|future|started|open|connected|index|table)|^check_?(?:out|point|sum)|^require_?once|schema$|^verify_?(?:no|times)").is_match(name);
    let block = file.blocks.iter().find(|b| b.lines.contains(&at));
    let Some(block) = block.filter(|b| b.removed.len() <= 8) else { return };
    if own_kind || line.pair.is_some() || view.adds_word(name) || code.contains('=') && !code.contains("==") || file.lang == Lang::JavaScript && code.contains("require(") {
        return;
    }
    let declares = block.removed.iter().any(|i| pattern!(r"^\s*(?:def|func|function|fn|fun|public|private|protected|static|class)\b").is_match(&file.lines[*i].code) && file.lines[*i].pair.is_none());
    if declares || !stays(file, block, at, *block.removed.last().unwrap_or(&at)) {
        return;
    }
    let anew = block.added.iter().any(|i| pattern!(r"(?i)valid|verif|check|assert|ensure|require|authori|sanit|permit|guard").is_match(&file.lines[*i].code));
    // The function it called went as well: then it was replaced, or the check was given up in the open.
    let definition = format!(" {name}(");
    let removed_definition = view.files.iter().flat_map(|f| &f.lines).any(|l| l.is_removed() && l.code.contains(&definition) && pattern!(r"\b(?:def|func|function|fn|fun|void|bool|boolean|private|public|static)\b").is_match(&l.code));
    if anew || removed_definition {
        return;
    }
    let rights = is_about_rights(name) || is_about_rights(code);
    let score = if rights { 78 } else { 68 } - if meant(view) { 14 } else { 0 } - if view.files.len() > 12 { 6 } else { 0 };
    let message = format!("`{name}` is no longer called here, and nothing in the change takes its place. Put the call back, or show where the check is made now.");
    say(report, file, at, "removed-call", score, message);
}

/// A value that was made harmless before its use, and no longer is.
fn unwrapped(view: &View, file: &FileView, at: usize, report: &mut Report) -> bool {
    let line = &file.lines[at];
    let Some(old) = file.pair_of(at) else { return false };
    let cleans = pattern!(r"\b((?:\w+(?:\.|::|->))?(?:escape\w*|\w*[eE]scapeHtml\w*|html_?escape|htmlspecialchars|htmlentities|sanitize\w*|\w*[sS]anitize\w*|strip_tags|bleach\.clean|DOMPurify\.sanitize|encodeURIComponent|encodeURI|urlencode|quote_plus|secure_filename|basename|realpath|normalize\w*Path|filepath\.Clean|filepath\.Base|esc_html|esc_attr|esc_url|wp_kses\w*|HtmlEncode|HtmlUtils\.\w+|ERB::Util\.\w+|validate\w*|purify))\s*\(");
    let Some(hit) = cleans.find(&old.code) else { return false };
    let name = hit.group(1);
    let last = name.rsplit(['.', ':', '>']).next().unwrap_or(name);
    let cleaned_still = cleans.is_match(&line.code) || view.adds_word(last) || pattern!(r"(?i)escape|sanit|encode|clean|quote|purif|safe|valid|param|bind").is_match(&line.code);
    let rest: Vec<&str> = words_of(&old.code).filter(|w| !words_of(name).any(|n| n == *w)).collect();
    let now: HashSet<&str> = words_of(&line.code).collect();
    let kept = rest.iter().filter(|w| now.contains(**w)).count();
    if cleaned_still || rest.is_empty() || kept * 10 < rest.len() * 8 || now.len() > rest.len() + 2 || name.contains("shell") {
        return false;
    }
    let message = format!("The value no longer goes through `{name}`, and is used as it comes. Put it back, or show where the value is made safe now.");
    say(report, file, at, "unescaped-value", 74 - if meant(view) { 14 } else { 0 }, message)
}
