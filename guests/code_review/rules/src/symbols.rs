//! Declarations that callers outside a file can see.

use crate::lang::Lang;
use crate::pattern::Pattern;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol<'t> {
    pub name: &'t str,
    /// From the opening bracket of the parameters on; empty for what takes none.
    pub rest: &'t str,
    pub is_function: bool,
}

pub struct Declarations {
    patterns: Vec<(fn(Lang) -> bool, bool, Pattern)>,
}

impl Declarations {
    pub fn new() -> Declarations {
        let mut patterns: Vec<(fn(Lang) -> bool, bool, Pattern)> = Vec::new();
        let mut add = |langs: fn(Lang) -> bool, function: bool, source: &str| {
            patterns.push((langs, function, Pattern::new(source)));
        };
        add(|l| l == Lang::Python, true, r"^(?:    )?(?:async )?def ([A-Za-z]\w*)(\(.*)");
        add(|l| l == Lang::Python, false, r"^class ([A-Z]\w*)");
        add(
            Lang::is_script,
            true,
            r"^\s*export (?:default )?(?:async )?function\*? ([A-Za-z_$][\w$]*)\s*(?:<[^>]*>)?(\(.*)",
        );
        add(Lang::is_script, true, r"^\s*export const ([A-Za-z_$][\w$]*)\s*=\s*(?:async )?(\(.*)=>");
        add(
            Lang::is_script,
            false,
            r"^\s*export (?:default )?(?:declare )?(?:abstract )?(?:class|interface|type|enum|const
                |let) ([A-Za-z_$][\w$]*)",
        );
        add(Lang::is_script, false, r"^\s*(?:module\.)?exports\.([A-Za-z_$][\w$]*)\s*=");
        add(|l| l == Lang::Go, true, r"^func (?:\([^)]*\) )?([A-Z]\w*)(?:\[[^\]]*\])?(\(.*)");
        add(|l| l == Lang::Go, false, r"^type ([A-Z]\w*)\b");
        add(|l| l == Lang::Go, false, r"^(?:var|const) ([A-Z]\w*)\b");
        add(|l| l == Lang::Rust, true, r"^\s*pub (?:const )?(?:async )?(?:unsafe )?fn (\w+)\s*(?:<[^(]*>)?(\(.*)");
        add(|l| l == Lang::Rust, false, r"^\s*pub (?:struct|enum|trait|type|const|static|mod) (\w+)");
        add(
            |l| l == Lang::Java || l == Lang::CSharp,
            true,
            r"^\s*public (?:static |final |virtual |override |abstract |async |sealed |synchronized |
                default |readonly |new )*(?:<[^(]*> )?[\w<>\[\],.? ]+ (\w+)\s*(?:<[^(]*>)?(\(.*)",
        );
        add(
            |l| l == Lang::Java || l == Lang::CSharp,
            false,
            r"^\s*public (?:static |final |abstract |sealed |partial |readonly )*(?:class|interface|enum|record
                |struct|@interface) (\w+)",
        );
        add(
            |l| l == Lang::Kotlin,
            true,
            r"^\s*(?:public |override |open |suspend |inline |operator |
                infix )*fun (?:<[^>]*> )?(?:[\w<>?]+\.)?(\w+)(\(.*)",
        );
        add(
            |l| l == Lang::Kotlin,
            false,
            r"^\s*(?:public |open |data |sealed |abstract |enum )*(?:class|interface|object) (\w+)",
        );
        add(|l| l == Lang::Php, true, r"^\s*(?:abstract |final )?public (?:static )?function &?(\w+)\s*(\(.*)");
        add(|l| l == Lang::Php, false, r"^\s*(?:abstract |final )?(?:class|interface|trait|enum) (\w+)");
        add(|l| l == Lang::Ruby, true, r"^\s*def (?:self\.)?([a-z]\w*[?!]?)(\(.*)?$");
        add(
            |l| l == Lang::Swift,
            true,
            r"^\s*(?:public|open) (?:static |final |class |override |mutating )*func (\w+)(?:<[^(]*>)?(\(.*)",
        );
        Declarations { patterns }
    }

    /// What a line of code (strings and comments blanked) declares for others.
    pub fn of<'t>(&self, lang: Lang, code: &'t str) -> Option<Symbol<'t>> {
        if !lang.is_code() {
            return None;
        }
        for (langs, is_function, pattern) in &self.patterns {
            if !langs(lang) {
                continue;
            }
            let Some(hit) = pattern.find(code) else { continue };
            let name = hit.group(1);
            let private = code.contains("private") || (lang == Lang::Kotlin && code.contains("internal"));
            if private || name.starts_with('_') {
                return None;
            }
            return Some(Symbol { name, rest: hit.group(2), is_function: *is_function });
        }
        None
    }
}
