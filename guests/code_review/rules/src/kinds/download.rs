//! What builds take from the network: images, scripts, programs.

use super::ci::say;
use super::{pattern, Report};
use crate::lang::Lang;
use crate::view::FileView;

pub fn image(file: &FileView, at: usize, report: &mut Report) {
    let line = &file.lines[at];
    let live = line.live.as_str();
    let from =
        pattern!(r"(?i)^\s*FROM\s+(?:--platform=\S+\s+)?([\w./:-]+?)(?:@(sha256:[0-9a-f]+))?(?:\s+AS\s+\S+)?\s*$");
    if let Some(hit) = from.find(live) {
        let old = file.pair_of(at).and_then(|old| from.find(&old.live));
        let (name, digest) = (hit.group(1), hit.group(2));
        let bare = |n: &str| n.split(':').next().unwrap_or(n).to_owned();
        let floating = name.ends_with(":latest")
            || (!name.contains(':') && digest.is_empty() && name != "scratch" && !is_stage(file, name));
        if old.is_some_and(|o| !o.group(2).is_empty() && digest.is_empty() && bare(o.group(1)) == bare(name)) {
            let message = format!(
                "`{name}` was pinned by digest and no longer is: the base of the image can change between builds."
            );
            say(report, file, at, "unpinned-image", 76, message);
        } else if floating
            && digest.is_empty()
            && old.is_some_and(|o| o.group(1).contains(':') && !o.group(1).ends_with(":latest"))
        {
            let message = format!(
                "`{name}` follows the newest image, so two builds may differ and break. Name a \
                version, best with its digest."
            );
            say(report, file, at, "unpinned-image", 72, message);
        }
        return;
    }
    if pattern!(r"(?i)^\s*USER\s+root\s*$").is_match(live) {
        let old = file.pair_of(at).is_some_and(|old| pattern!(r"(?i)^\s*USER\s+\w").is_match(&old.live));
        let later = file.below(at, 60).any(|l| pattern!(r"(?i)^\s*USER\s+[^r]").is_match(&l.live));
        if old && !later {
            let message = "The image now runs as root. Keep the user without rights for what runs in it.";
            say(report, file, at, "runs-as-root", 66, message.to_owned());
        }
        return;
    }
    let add = pattern!(r"(?i)^\s*ADD\s+(?:--\w+=\S+\s+)*(https?://\S+)");
    if let Some(hit) = add.find(live).filter(|_| !live.contains("--checksum=") && !verified_near(file, at)) {
        let score = if hit.group(1).starts_with("http://") { 82 } else { 70 };
        let message = "The file is taken from the network into the image without a checksum. Give \
            `--checksum=sha256:…`, or compare it before use.";
        say(report, file, at, "unchecked-download", score, message.to_owned());
    }
}

fn is_stage(file: &FileView, name: &str) -> bool {
    name.contains('$')
        || file.lines.iter().any(|l| {
            let lower = l.live.to_ascii_lowercase();
            lower.trim_start().starts_with("from ")
                && lower.trim_end().ends_with(&format!(" as {}", name.to_ascii_lowercase()))
        })
        || !file.is_new_file()
            && !name.contains('/')
            && file.hunks.first().is_some_and(|_| file.lines.first().is_some_and(|l| l.line.new > 1))
}

fn verified_near(file: &FileView, at: usize) -> bool {
    let check = pattern!(
        r"(?i)sha\d+sum|shasum|gpg\b.*--verify|gpgv|cosign|minisign|signify|checksum|openssl dgst|sha256|md5sum
            |rpm --import|signed-by|get-filehash"
    );
    file.below(at, 12).any(|l| check.is_match(&l.live))
        || check.is_match(&file.lines[at].live)
        || file.above(at, 4).any(|l| check.is_match(&l.live))
}

/// Something from the network that is run, or unpacked into the system, as it comes.
pub fn download(file: &FileView, at: usize, report: &mut Report) {
    let line = &file.lines[at];
    let live = joined(file, at);
    let piped = pattern!(
        r"\b(?:curl|wget|fetch|iwr|Invoke-WebRequest|irm)\b[^|;&]*(?:https?:
            |\$)[^|;&]*\|\s*(?:sudo\s+(?:-\w+\s+)*)?(?:env\s+\S+\s+)?(?:ba|z|da|k)?(?:sh|python3?|perl|node|ruby
            |iex|Invoke-Expression)\b"
    );
    let substituted =
        pattern!(r"\b(?:(?:ba|z)?sh\s+(?:-c\s+)?|source\s+|\.\s+|eval\s+)[\x22']?(?:<\(|\$\()\s*(?:curl|wget)\b");
    let insecure = pattern!(
        r"\bcurl\b[^|;&]*\s(?:-[a-zA-Z]*k[a-zA-Z]*|--insecure)\s|\bwget\b[^|;&]*--no-check-certificate
            |\bgit\b.*http\.sslVerify=false|apt(?:-get)?\s[^;&]*--allow-unauthenticated|--nogpgcheck|--no-gpg-check
            |\[trusted=yes\]|GIT_SSL_NO_VERIFY=(?:1|true)|apk add[^;&]*--allow-untrusted"
    );
    let begins = pattern!(
        r"\b(?:curl|wget|fetch|iwr|irm|Invoke-WebRequest|git|apt|apt-get|sh|bash|source|eval|dnf|yum|zypper|apk
            |trusted)\b"
    );
    if !begins.is_match(&line.live) && !line.live.contains("GIT_SSL") && !line.live.contains("[trusted=yes]") {
        return;
    }
    let old = file.pair_of(at).map_or("", |old| old.live.as_str());
    let documented = file.lang == Lang::Shell && pattern!(r"^\s*(?:echo|printf|#|log|info|cat)\b").is_match(&line.live);
    if documented {
        return;
    }
    if (piped.is_match(&live) || substituted.is_match(&live)) && !piped.is_match(old) && !substituted.is_match(old) {
        let plain = live.contains("http://");
        let score = if plain {
            86
        } else if file.place.workflow || file.lang == Lang::Dockerfile {
            74
        } else {
            66
        };
        let message = "A script from the network is run as it comes; whoever controls that address, or the way to \
            it, controls this build. Fetch a fixed version and compare its checksum first.";
        return say(report, file, at, "unchecked-download", score, message.to_owned());
    }
    if insecure.is_match(&format!("{live} "))
        && !insecure.is_match(&format!("{old} "))
        && !live.contains("localhost")
        && !live.contains("127.0.0.1")
    {
        let message =
            "The download's certificate or signature is not checked, so it can be replaced on the way. Keep the \
                check.";
        return say(report, file, at, "unchecked-download", 72, message.to_owned());
    }
    let saved = pattern!(r"\b(?:curl|wget)\b[^|;&]*\s-(?:[a-zA-Z]*[oO]|-output|-output-document)[= ]?\s*([^\s;&|]+)");
    if let Some(hit) = saved.find(&live) {
        let name = hit.group(1).rsplit('/').next().unwrap_or("");
        let later = format!("{live}\n{}", file.below(at, 6).map(|l| l.live.as_str()).collect::<Vec<_>>().join("\n"));
        let runs = pattern!(
            r"(?:^|[;&|\n])\s*(?:-?\s*run:\s*)?(?:sudo\s+)?(?:(?:ba|z|da)?sh|python3?|perl|source
                |\.)\s+(?:-\w+\s+)*([^\s;&|]+)"
        );
        let run = !name.is_empty() && runs.all(&later).iter().any(|h| h.group(1).ends_with(name));
        let checked = pattern!(r"(?i)sha\d+sum|shasum|gpg|cosign|minisign|checksum|openssl dgst").is_match(&later);
        if run && !checked && live.contains("://") {
            let message = "A script from the network is saved and run as it comes; whoever controls that address \
                controls this build. Fetch a fixed version and compare its checksum first.";
            let score = if live.contains("http://") { 84 } else { 72 };
            return say(report, file, at, "unchecked-download", score, message.to_owned());
        }
    }
    unpacked(file, at, &live, report);
}

/// A binary that goes straight from the network into the system.
fn unpacked(file: &FileView, at: usize, live: &str, report: &mut Report) {
    let loads = pattern!(r"\b(?:curl|wget)\b[^|;&]*(?:https?://|\$\{?[A-Z_a-z]*(?:URL|url))[^|;&]*");
    let installs = pattern!(
        r"chmod\s+(?:\+x|a\+x|0?7[0-7][0-7]|u\+x)|\binstall\s+-m|dpkg\s+-i|rpm\s+-[iU]|/usr/(?:local/)?bin
            |\btar\s+[^|;&]*-?C\s*(?:/usr|/opt)|\|\s*(?:sudo\s+)?tar\b|\bunzip\b"
    );
    if !loads.is_match(live) || verified_near(file, at) || !(file.lang == Lang::Dockerfile || file.place.workflow) {
        return;
    }
    let lost = file.blocks.iter().filter(|b| b.lines.contains(&at)).any(|b| {
        b.removed
            .iter()
            .any(|i| pattern!(r"(?i)sha\d+sum|shasum|gpg|cosign|checksum|sha256").is_match(&file.lines[*i].live))
    });
    let text = format!("{live}\n{}", file.below(at, 3).map(|l| l.live.as_str()).collect::<Vec<_>>().join("\n"));
    let plain = live.contains("http://");
    if installs.is_match(&text) && (lost || plain || file.pair_of(at).is_none()) {
        let score = if plain {
            80
        } else if lost {
            78
        } else {
            60
        };
        let message = "A program from the network is installed without a checksum or signature. Compare its sha256 \
            before it is used.";
        say(report, file, at, "unchecked-download", score, message.to_owned());
    }
}

/// A line with those it continues on.
fn joined(file: &FileView, at: usize) -> String {
    let mut text = file.lines[at].live.clone();
    for next in file.below(at, 6) {
        if !text.trim_end().ends_with('\\') && !text.trim_end().ends_with('|') {
            break;
        }
        text = format!("{} {}", text.trim_end().trim_end_matches('\\'), next.live.trim());
    }
    text
}
