//! Checks that went: of rights, of input, of bounds, of emptiness, of age.

use std::collections::HashSet;

use super::condition::narrower;
use super::guard::{guard, leaves, meant, stays};
use super::{pattern, Report};
use crate::finding::{Kind, Severity};
use crate::lang::Lang;
use crate::pattern::Pattern;
use crate::view::{likeness, words_of, FileView, View};

pub fn find(view: &View, report: &mut Report) {
    let large = view.files.len() > 40;
    for file in &view.files {
        if file.place.is_harmless()
            || !(file.lang.is_code() || file.lang == Lang::Html)
            || file.is_deleted_file()
            || file.lang == Lang::Sql
        {
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
                let _ = bypass(file, at, report) || unsafe_form(file, at, report) || unwrapped(view, file, at, report);
            }
        }
        if !large && file.lang != Lang::Html {
            for block in &file.blocks {
                guard(view, file, block, report);
                narrower(view, file, block, report);
            }
        }
    }
}

pub fn say(report: &mut Report, file: &FileView, at: usize, rule: &'static str, score: u32, message: String) -> bool {
    let severity = if score >= 70 { Severity::High } else { Severity::Medium };
    report.add(file, at, Kind::RemovedCheck, rule, severity, score, message);
    true
}

/// Words of rights, and of who owns what.
pub fn is_about_rights(text: &str) -> bool {
    let plain = text.replace("author", "").replace("Author", "");
    pattern!(
        r"(?i)auth|permission|permit|allowed|forbidden|unauthori|admin|role|owner|tenant|csrf|acl\b|privilege
        |signature|login|logged|session|access|policy|scope|verified|can_|\bcan[A-Z]|superuser|staff|belongs
        |current_?user|user_?id|capabilit|hmac|captcha|mfa|otp|trusted|origin|guest|anonymous"
    )
    .is_match(&plain)
        || (text.contains("uthoriz") || text.contains("uthoris"))
}

/// Decorators, annotations, filters and middleware that guard a function.
fn guard_marks() -> &'static Pattern {
    pattern!(
        r"^\s*@(?:[\w.]+\.)?(?:login_required|permission_required|user_passes_test|staff_member_required
            |superuser_required|require_\w+|requires_\w+|authenticated|auth_required|jwt_required|admin_required
            |role_required|roles_required|csrf_protect|has_permission|permission_classes|authentication_classes
            |token_required|fresh_login_required|PreAuthorize|PostAuthorize|Secured|RolesAllowed
            |RequiresPermissions?|RequiresRoles|UseGuards|Roles|Authorized|Valid|Validated|NotNull|NotBlank|Size
            |Max|Min|validate\w*|limiter\.limit|ratelimit|rate_limit|throttle\w*)\b|^\s*\[(?:Authorize
            |ValidateAntiForgeryToken|RequireHttps|Required|RequiresClaim|AutoValidateAntiforgeryToken|StringLength
            |Range|MaxLength)\b|^\s*(?:before_action|before_filter|prepend_before_action)\s+:?\w*(?:auth|login
            |require|verify|check|ensure|admin|permission|owner)\w*|^\s*(?:protect_from_forgery
            |verify_authenticity_token|authorize!?|authorize_resource|load_and_authorize_resource
            |doorkeeper_authorize!|authenticate_\w+!)\b|^\s*(?:app|router|server
            |api)\.use\(\s*(?:['\x22][^'\x22]*['\x22],\s*)?[\w.]*(?:auth|csrf|csurf|helmet|rateLimit|[lL]imiter
            |session|verify|requireUser|protect)\w*|->middleware\(.*(?:auth|can:|verified|throttle|role|signed)
            |^\s*#\[(?:IsGranted|Security)\b|plug\s+:?\w*(?:auth|require|ensure|verify|protect)\w*
            |^\s*(?:permission_classes|authentication_classes)\s*="
    )
}

/// A guard's mark that went from a function or a route that stays.
fn guard_mark(view: &View, file: &FileView, at: usize, report: &mut Report) {
    let line = &file.lines[at];
    let live = line.live.as_str();
    let mark = guard_marks();
    let validation = pattern!(
        r"^\s*@(?:Valid|Validated|NotNull|NotBlank|Size|Max|Min)\b|^\s*\[(?:Required|StringLength|Range|MaxLength)\b"
    );
    if mark.is_match(live) {
        let count = |added: bool| {
            view.files
                .iter()
                .flat_map(|f| &f.lines)
                .filter(|l| if added { l.is_added() } else { l.is_removed() })
                .filter(|l| mark.is_match(&l.live))
                .count()
        };
        let narrowed = file.pair_of(at).filter(|new| mark.is_match(&new.live)).and_then(|new| {
            let kept: HashSet<&str> = words_of(&new.live).collect();
            let own: HashSet<&str> = words_of(live).collect();
            let grown = words_of(&new.live).any(|w| !own.contains(w));
            own.into_iter().find(|w| !kept.contains(w) && !grown && (is_about_rights(w) || w.starts_with("Is")))
        });
        if let Some(word) = narrowed {
            let message =
                format!("`{word}` is no longer asked for here. Put it back, or show where the check is made.");
            say(report, file, at, "lost-guard", 78, message);
            return;
        }
        let replaced = file.pair_of(at).is_some_and(|new| {
            mark.is_match(&new.live)
                || words_of(&new.live).any(|w| is_about_rights(w) && !words_of(live).any(|x| x == w))
        });
        // What it guarded went too?
        let next = file.lines[at + 1..]
            .iter()
            .take(6)
            .find(|l| !l.is_blank() && !l.code.trim_start().starts_with(['@', '[', '#']));
        let guarded_gone = next.is_some_and(|l| l.is_gone() && l.pair.is_none());
        let elsewhere = view.files.iter().flat_map(|f| &f.lines).any(|l| l.is_new() && mark.is_match(&l.live));
        if replaced || guarded_gone || count(true) >= count(false) || elsewhere {
            return;
        }
        let score = if validation.is_match(live) { 60 } else { 84 };
        let message = "What guarded this entry is removed and not put elsewhere: whoever reaches it may use it now. \
            Put it back, or show where the check is made.";
        say(report, file, at, "lost-guard", score, message.to_owned());
        return;
    }
    lost_scope(file, at, report);
    // A guard among the arguments of a route.
    let route = pattern!(
        r"\b(?:router|app|api|route|server|r|mux|group|e)\.(?:get|post|put|patch|delete|all|use|GET|POST|PUT|DELETE
            |PATCH|Handle|HandleFunc|route)\(|\bdef\s+\w+\(|\b(?:Depends|Security)\("
    );
    let Some(new) = file.pair_of(at).filter(|new| route.is_match(&new.code) && route.is_match(live)) else { return };
    let kept: HashSet<&str> = words_of(new.text()).collect();
    let lost = words_of(line.text()).find(|w| !kept.contains(w) && w.len() > 3 && is_about_rights(w));
    if let Some(word) = lost.filter(|w| !view.adds_word(w)) {
        if words_of(new.text()).any(|w| is_about_rights(w) && !words_of(line.text()).any(|x| x == w)) {
            return;
        }
        let message =
            format!("The route no longer goes through `{word}`. Put it back, or show where the check is made.");
        say(report, file, at, "lost-guard", 84, message);
    }
}

/// A query that asked for the caller's own rows, and now asks for anyone's.
fn lost_scope(file: &FileView, at: usize, report: &mut Report) {
    let query = pattern!(r"(?i)find|where|filter|get\(|select|first\(|query|update|delete|load|fetch");
    let own = pattern!(
        r"\b(?:current_(?:user|account|org\w*|tenant|team|company)|request\.user|(?:user|tenant|owner|account|org
            |organization|company|team|workspace)_id|(?:user|tenant|owner|account|org|organization|company|team
            |workspace)Id|currentUser|auth\(\)->id\(\)|Auth::id\(\))\b"
    );
    let line = &file.lines[at];
    let Some(new) = file.pair_of(at) else { return };
    let lost =
        own.is_match(&line.live) && !own.is_match(&new.live) && query.is_match(&line.live) && query.is_match(&new.live);
    let scoped =
        pattern!(r"(?i)scope|policy|visible|accessible|permitted|for_user|forUser|owned|mine").is_match(&new.live);
    let declares = pattern!(r"^\s*(?:def|fn|func|function|public|private)\b").is_match(&line.code);
    if !lost || scoped || declares || likeness(&line.live, &new.live) < 45 {
        return;
    }
    // The caller is looked at right after instead.
    let after = file.below(at, 6).any(|l| !l.is_removed() && own.is_match(&l.live) && leaves(&l.live));
    let beside = file
        .blocks
        .iter()
        .filter(|b| b.lines.contains(&at))
        .any(|b| b.added.iter().any(|i| own.is_match(&file.lines[*i].live)));
    if !after && !beside {
        let message = "The rows were the caller's own and can now be anybody's, if the identifier is guessed. Keep \
            the restriction, or check the owner after loading.";
        say(report, file, at, "lost-scope", 76, message.to_owned());
    }
}

/// Marks that let everybody in.
fn bypass(file: &FileView, at: usize, report: &mut Report) -> bool {
    let line = &file.lines[at];
    let live = line.live.as_str();
    let opens = pattern!(
        r"^\s*@csrf_exempt|\[AllowAnonymous\]|^\s*skip_before_action\s+:?\w*(?:auth|verify|login|require|check)
            |\bAllowAny\b|\.permitAll\(\)|csrf\(\)\.disable\(\)|csrf\s*\(?\s*\{?\s*\w*\s*(?:->
            |=>)?\s*\w*\.disable\(\)|AbstractHttpConfigurer::disable|protect_from_forgery\s+with:\s*:null_session
            |withoutMiddleware\(.*auth|^\s*@PermitAll|\[IgnoreAntiforgeryToken|skip_authorization\b
            |skip_authorize_resource|skip_load_and_authorize"
    );
    let weaker_cookie = pattern!(
        r"(?i)\b(?:secure|http_?only|sameSite)['\x22]?\s*[:=]>?\s*(?:false|['\x22]?none)|SESSION_COOKIE_(?:SECURE
            |HTTPONLY)\s*=\s*False|CSRF_COOKIE_SECURE\s*=\s*False"
    );
    let cors = pattern!(
        r"Access-Control-Allow-Origin['\x22]?\s*[,:=]\s*['\x22]\*|\borigin['\x22]?\s*:\s*(?:['\x22]\*['\x22]|true)
            |AllowAnyOrigin\(\)|CORS_(?:ORIGIN_)?ALLOW_ALL(?:_ORIGINS)?\s*=\s*True
            |allow_origins\s*=\s*\[\s*['\x22]\*|AllowAllOrigins|permissive\(\)"
    );
    let old = file.pair_of(at).map_or("", |old| old.live.as_str());
    if opens.is_match(live) && !opens.is_match(old) {
        let next_is_old = file.below(at, 4).find(|l| !l.is_blank()).is_some_and(|l| !l.is_new());
        let was_guarded = is_about_rights(old);
        let harmless = pattern!(
            r"(?i)health|ping|webhook|login|signin|sign_in|register|metrics|status|public|static
            |assets|favicon|version|actuator|swagger|docs|callback"
        )
        .is_match(&format!("{live} {}", file.around(at, 2, 3)));
        if file.is_new_file() || harmless {
            return false;
        }
        let score = if was_guarded {
            84
        } else if next_is_old {
            76
        } else {
            56
        };
        let message = "This lets in requests that were checked before. Leave the check in place, or say why nobody \
            can misuse this entry.";
        return say(report, file, at, "check-bypassed", score, message.to_owned());
    }
    if weaker_cookie.is_match(live) && pattern!(r"(?i)true|strict|lax").is_match(old) && likeness(live, old) >= 60 {
        let message = "The cookie can now be read by scripts, or be sent without encryption or from other sites. \
            Keep it `Secure`, `HttpOnly` and `SameSite`.";
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
    let raw = pattern!(
        r"dangerouslySetInnerHTML|\|\s*safe\b|\bv-html=|\.innerHTML\s*\+?=|\{!!|\.html_safe\b|\braw\(|Html\.Raw\(
            |mark_safe\(|autoescape\s+(?:off|false)|<%==|<%-\s|bypassSecurityTrust\w+\(|template\.HTML\(|\{\{\{
            |th:utext=|\.html\(\s*[a-z]|\{@html"
    );
    let loads = pattern!(
        r"\byaml\.(?:unsafe_)?load\((?:[^)]*Loader=yaml\.(?:Unsafe|Full)?Loader)?|\bpickle\.loads?\(|\bunserialize\(
            |\bYAML\.(?:unsafe_)?load\(|\bMarshal\.load|BinaryFormatter|TypeNameHandling\.(?:All|Auto|Objects)
            |ObjectInputStream\(|(?:^|[^.\w])eval\(|\bexec\(|new Function\(|resolve_entities\s*=\s*True
            |DtdProcessing\.Parse|LIBXML_NOENT|noent:\s*true|enableDefaultTyping"
    );
    let careful = pattern!(
        r"(?i)safe_?load|json|literal_eval|safeloader|sanit|escape|\bparse\b|deserializ|permit\(|_params\b|prohibit
            |textContent|\.text\(|h\("
    );
    let assign = pattern!(r"\.permit!|to_unsafe_h|\bunguard\(|forceFill\(|fields\s*=\s*['\x22]__all__");
    if raw.is_match(now)
        && !raw.is_match(was)
        && likeness(was, now) >= 50
        && !pattern!(r"(?i)sanit|purify|escape|bleach").is_match(now)
    {
        let message = "The text now goes into the page as markup, so whoever wrote it can run scripts for those who \
            read it. Keep it escaped, or sanitise it.";
        return say(report, file, at, "unescaped-value", 74, message.to_owned());
    }
    if loads.is_match(now)
        && !loads.is_match(was)
        && careful.is_match(was)
        && !pattern!(r"(?i)safe_?load|SafeLoader|literal").is_match(now)
    {
        let message = "This form runs code or builds any object that its input names. Keep the careful form for \
            what comes from outside.";
        return say(report, file, at, "unsafe-load", 76, message.to_owned());
    }
    if assign.is_match(now) && !assign.is_match(was) && careful.is_match(was) {
        let message = "Every field can now be set by the request, also those that only the program may set. Name \
            the fields that may be.";
        return say(report, file, at, "lost-guard", 76, message.to_owned());
    }
    false
}

/// A statement that checks and went.
fn call(view: &View, file: &FileView, at: usize, report: &mut Report) {
    let line = &file.lines[at];
    let code = line.code.as_str();
    let checks = pattern!(
        r"^\s*(?:await\s+|return\s+await\s+|yield\s+)?(?:(?:this|self|super|\w+)(?:\.|->|::))*(_?(?:validate|verify
            |check|assert|ensure|require|authori[sz]e|authenticate|sanitize|enforce|must|guard
            |reject)[A-Za-z_]*[!?]?|\w+_(?:check|validate|verify|guard)|(?:\w*[a-z])(?:Check|Validator
            |Guard))\b\s*(?:<[^>]*>)?(?:\(|\s+\w|!?\s*$)"
    );
    let Some(hit) = checks.find(code) else { return };
    let name = hit.group(1);
    let own_kind = pattern!(
        r"(?i)^(?:require|assert|checkout|checkbox|checked|require_once|require_relative
        |requireactual|check_call|check_output|ensure)$|^assert|^ensure_?(?:dir|exists|loaded|init|ready|capacity
        |future|started|open|connected|index|table)|^check_?(?:out|point|sum)|^require_?once|schema$|^verify_?(?:no
        |times)"
    )
    .is_match(name);
    let block = file.blocks.iter().find(|b| b.lines.contains(&at));
    let Some(block) = block.filter(|b| b.removed.len() <= 8) else { return };
    let contract = matches!(file.lang, Lang::Kotlin | Lang::Swift | Lang::Scala)
        && matches!(name, "require" | "check" | "requireNotNull");
    if own_kind && !contract
        || line.pair.is_some()
        || view.adds_word(name)
        || code.contains('=') && !code.contains("==")
        || file.lang == Lang::JavaScript && code.contains("require(")
    {
        return;
    }
    let declares = block.removed.iter().any(|i| {
        pattern!(r"^\s*(?:def|func|function|fn|fun|public|private|protected|static|class)\b")
            .is_match(&file.lines[*i].code)
            && file.lines[*i].pair.is_none()
    });
    if declares || !stays(file, block, at, *block.removed.last().unwrap_or(&at)) {
        return;
    }
    let anew = block.added.iter().any(|i| {
        pattern!(r"(?i)valid|verif|check|assert|ensure|require|authori|sanit|permit|guard")
            .is_match(&file.lines[*i].code)
    });
    // The function it called went as well: then it was replaced, or the check was given up in the open.
    let definition = format!(" {name}(");
    let removed_definition = view.files.iter().flat_map(|f| &f.lines).any(|l| {
        l.is_removed()
            && l.code.contains(&definition)
            && pattern!(r"\b(?:def|func|function|fn|fun|void|bool|boolean|private|public|static)\b").is_match(&l.code)
    });
    if anew || removed_definition {
        return;
    }
    let rights = is_about_rights(name) || is_about_rights(code);
    let score =
        if rights { 78 } else { 68 } - if meant(view) { 14 } else { 0 } - if view.files.len() > 12 { 6 } else { 0 };
    let message = format!(
        "`{name}` is no longer called here, and nothing in the change takes its place. Put the \
        call back, or show where the check is made now."
    );
    say(report, file, at, "removed-call", score, message);
}

/// A value that was made harmless before its use, and no longer is.
fn unwrapped(view: &View, file: &FileView, at: usize, report: &mut Report) -> bool {
    let line = &file.lines[at];
    let Some(old) = file.pair_of(at) else { return false };
    let cleans = pattern!(
        r"\b((?:\w+(?:\.|::|->))?(?:escape\w*|\w*[eE]scapeHtml\w*|html_?escape|htmlspecialchars|htmlentities
            |sanitize\w*|\w*[sS]anitize\w*|strip_tags|bleach\.clean|DOMPurify\.sanitize|encodeURIComponent
            |encodeURI|urlencode|quote_plus|secure_filename|basename|realpath|normalize\w*Path|filepath\.Clean
            |filepath\.Base|esc_html|esc_attr|esc_url|wp_kses\w*|HtmlEncode|HtmlUtils\.\w+|ERB::Util\.\w+
            |validate\w*|purify))\s*\("
    );
    let Some(hit) = cleans.find(&old.code) else { return false };
    let name = hit.group(1);
    let last = name.rsplit(['.', ':', '>']).next().unwrap_or(name);
    let cleaned_still = cleans.is_match(&line.code)
        || view.adds_word(last)
        || pattern!(r"(?i)escape|sanit|encode|clean|quote|purif|safe|valid|param|bind").is_match(&line.code);
    let rest: Vec<&str> = words_of(&old.code).filter(|w| !words_of(name).any(|n| n == *w)).collect();
    let now: HashSet<&str> = words_of(&line.code).collect();
    let kept = rest.iter().filter(|w| now.contains(**w)).count();
    if cleaned_still
        || rest.is_empty()
        || kept * 10 < rest.len() * 8
        || now.len() > rest.len() + 2
        || name.contains("shell")
    {
        return false;
    }
    let message = format!(
        "The value no longer goes through `{name}`, and is used as it comes. Put it back, or show \
        where the value is made safe now."
    );
    say(report, file, at, "unescaped-value", 74 - if meant(view) { 14 } else { 0 }, message)
}
