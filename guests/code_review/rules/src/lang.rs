//! The language of a file, by its name, and how that language writes comments and strings.

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lang {
    Python,
    JavaScript,
    TypeScript,
    Go,
    Java,
    Kotlin,
    CSharp,
    Rust,
    Ruby,
    Php,
    C,
    Cpp,
    ObjectiveC,
    Swift,
    Scala,
    Groovy,
    Dart,
    Elixir,
    Perl,
    Lua,
    PowerShell,
    Shell,
    Sql,
    Yaml,
    Json,
    Toml,
    Ini,
    Xml,
    Html,
    Css,
    Dockerfile,
    Terraform,
    Make,
    Proto,
    GraphQl,
    Markdown,
    Text,
    Other,
}

use Lang::*;

impl Lang {
    pub fn of(path: &str) -> Lang {
        let name = path.rsplit('/').next().unwrap_or(path);
        let lower = name.to_ascii_lowercase();
        if let Some(lang) = by_name(&lower) {
            return lang;
        }
        match lower.rsplit_once('.') {
            Some((_, ending)) => by_ending(ending),
            None => Other,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Python => "Python",
            JavaScript => "JavaScript",
            TypeScript => "TypeScript",
            Go => "Go",
            Java => "Java",
            Kotlin => "Kotlin",
            CSharp => "C#",
            Rust => "Rust",
            Ruby => "Ruby",
            Php => "PHP",
            C => "C",
            Cpp => "C++",
            ObjectiveC => "Objective-C",
            Swift => "Swift",
            Scala => "Scala",
            Groovy => "Groovy",
            Dart => "Dart",
            Elixir => "Elixir",
            Perl => "Perl",
            Lua => "Lua",
            PowerShell => "PowerShell",
            Shell => "shell",
            Sql => "SQL",
            Yaml => "YAML",
            Json => "JSON",
            Toml => "TOML",
            Ini => "configuration",
            Xml => "XML",
            Html => "HTML",
            Css => "CSS",
            Dockerfile => "Dockerfile",
            Terraform => "Terraform",
            Make => "Make",
            Proto => "Protocol Buffers",
            GraphQl => "GraphQL",
            Markdown => "Markdown",
            Text => "text",
            Other => "other",
        }
    }

    /// Written by people to be run: rules about statements apply.
    pub fn is_code(self) -> bool {
        self <= Sql
    }

    pub fn is_prose(self) -> bool {
        matches!(self, Markdown | Text)
    }

    pub fn is_script(self) -> bool {
        matches!(self, JavaScript | TypeScript)
    }

    pub fn is_jvm(self) -> bool {
        matches!(self, Java | Kotlin | Scala | Groovy)
    }

    pub fn is_c(self) -> bool {
        matches!(self, C | Cpp | ObjectiveC)
    }

    /// Blocks are written with braces.
    pub fn has_braces(self) -> bool {
        matches!(self, Go | Rust | Php | Swift | Dart | CSharp | Perl)
            || self.is_script()
            || self.is_jvm()
            || self.is_c()
    }
}

fn by_name(name: &str) -> Option<Lang> {
    Some(match name {
        "makefile" | "gnumakefile" => Make,
        "gemfile" | "rakefile" | "podfile" | "vagrantfile" | "brewfile" | "fastfile" | "capfile" | "guardfile" => Ruby,
        "jenkinsfile" => Groovy,
        "go.mod" | "go.sum" | "go.work" => Text,
        "cargo.lock" | "poetry.lock" | "pipfile" | "uv.lock" | "pdm.lock" => Toml,
        "pipfile.lock" | "composer.lock" | "flake.lock" | ".babelrc" | ".eslintrc" | ".prettierrc" => Json,
        "yarn.lock" | "pnpm-lock.yaml" | "pubspec.lock" => Yaml,
        "gemfile.lock" | "podfile.lock" | "mix.lock" => Text,
        ".bashrc" | ".bash_profile" | ".profile" | ".zshrc" | ".envrc" | "gradlew" => Shell,
        ".npmrc" | ".yarnrc" | ".pypirc" | "pip.conf" | ".gitconfig" | ".netrc" | ".flaskenv" => Ini,
        "readme" | "license" | "changelog" | "authors" | "copying" | "notice" => Text,
        _ if name.starts_with("dockerfile") || name.starts_with("containerfile") || name.ends_with(".dockerfile") => {
            Dockerfile
        }
        _ if name == ".env" || name.starts_with(".env.") || name.ends_with(".env") => Ini,
        _ if name.starts_with("requirements") && name.ends_with(".txt") => Ini,
        _ => return None,
    })
}

fn by_ending(ending: &str) -> Lang {
    match ending {
        "py" | "pyi" | "pyx" | "pyw" => Python,
        "js" | "jsx" | "mjs" | "cjs" | "vue" | "svelte" => JavaScript,
        "ts" | "tsx" | "mts" | "cts" => TypeScript,
        "go" => Go,
        "java" => Java,
        "kt" | "kts" => Kotlin,
        "cs" | "cshtml" | "razor" => CSharp,
        "rs" => Rust,
        "rb" | "rake" | "gemspec" | "ru" | "erb" => Ruby,
        "php" | "phtml" | "inc" | "module" => Php,
        "c" | "h" => C,
        "cc" | "cpp" | "cxx" | "hpp" | "hh" | "hxx" | "ipp" | "cu" => Cpp,
        "m" | "mm" => ObjectiveC,
        "swift" => Swift,
        "scala" | "sbt" => Scala,
        "groovy" | "gradle" => Groovy,
        "dart" => Dart,
        "ex" | "exs" => Elixir,
        "pl" | "pm" | "cgi" => Perl,
        "lua" => Lua,
        "ps1" | "psm1" => PowerShell,
        "sh" | "bash" | "zsh" | "ksh" | "bats" | "bat" | "cmd" => Shell,
        "sql" | "pgsql" | "plsql" | "psql" => Sql,
        "yml" | "yaml" => Yaml,
        "json" | "json5" | "jsonc" | "webmanifest" => Json,
        "toml" => Toml,
        "ini" | "cfg" | "conf" | "properties" | "env" | "config" => Ini,
        "xml" | "csproj" | "fsproj" | "vbproj" | "props" | "targets" | "nuspec" | "xsd" | "svg" | "plist" | "slnx" => {
            Xml
        }
        "html" | "htm" | "twig" | "jinja" | "j2" | "hbs" | "ejs" | "mustache" => Html,
        "css" | "scss" | "sass" | "less" => Css,
        "tf" | "tfvars" | "hcl" => Terraform,
        "mk" => Make,
        "proto" => Proto,
        "graphql" | "gql" | "graphqls" => GraphQl,
        "md" | "markdown" | "mdx" | "rst" | "adoc" => Markdown,
        "txt" => Text,
        _ => Other,
    }
}

/// How a language writes comments and strings.
pub struct Syntax {
    pub line: &'static [&'static str],
    pub block: Option<(&'static str, &'static str)>,
    /// Quotes of strings that end with their line.
    pub quotes: &'static [u8],
    /// Delimiters of strings that may run over lines.
    pub long: &'static [&'static str],
}

const C_STYLE: Syntax = Syntax { line: &["//"], block: Some(("/*", "*/")), quotes: b"\"'", long: &[] };
const SCRIPT: Syntax = Syntax { line: &["//"], block: Some(("/*", "*/")), quotes: b"\"'", long: &["`"] };
const GO: Syntax = SCRIPT;
const JVM: Syntax = Syntax { line: &["//"], block: Some(("/*", "*/")), quotes: b"\"'", long: &["\"\"\""] };
const RUST: Syntax = Syntax { line: &["//"], block: Some(("/*", "*/")), quotes: b"\"", long: &[] };
const PYTHON: Syntax = Syntax { line: &["#"], block: None, quotes: b"\"'", long: &["\"\"\"", "'''"] };
const RUBY: Syntax = Syntax { line: &["#"], block: None, quotes: b"\"'`", long: &[] };
const PHP: Syntax = Syntax { line: &["//", "#"], block: Some(("/*", "*/")), quotes: b"\"'`", long: &[] };
const SHELL: Syntax = Syntax { line: &["#"], block: None, quotes: b"\"'`", long: &[] };
const SQL: Syntax = Syntax { line: &["--"], block: Some(("/*", "*/")), quotes: b"'", long: &[] };
const HASH: Syntax = Syntax { line: &["#"], block: None, quotes: b"\"'", long: &[] };
const INI: Syntax = Syntax { line: &["#", ";"], block: None, quotes: b"", long: &[] };
const MARKUP: Syntax = Syntax { line: &[], block: Some(("<!--", "-->")), quotes: b"\"'", long: &[] };
const STYLE: Syntax = Syntax { line: &[], block: Some(("/*", "*/")), quotes: b"\"'", long: &[] };
const LUA: Syntax = Syntax { line: &["--"], block: None, quotes: b"\"'", long: &[] };
const POWERSHELL: Syntax = Syntax { line: &["#"], block: Some(("<#", "#>")), quotes: b"\"'", long: &[] };
const JSON: Syntax = Syntax { line: &["//"], block: None, quotes: b"\"", long: &[] };
const HCL: Syntax = Syntax { line: &["#", "//"], block: Some(("/*", "*/")), quotes: b"\"", long: &[] };
const PLAIN: Syntax = Syntax { line: &[], block: None, quotes: b"", long: &[] };

impl Lang {
    pub fn syntax(self) -> &'static Syntax {
        match self {
            Python => &PYTHON,
            JavaScript | TypeScript => &SCRIPT,
            Go => &GO,
            Java | Kotlin | Scala | Groovy | CSharp | Swift => &JVM,
            Rust => &RUST,
            Ruby => &RUBY,
            Elixir => &PYTHON,
            Php => &PHP,
            C | Cpp | ObjectiveC | Dart | Proto => &C_STYLE,
            Perl | Shell => &SHELL,
            Lua => &LUA,
            PowerShell => &POWERSHELL,
            Sql => &SQL,
            Yaml | Toml | Dockerfile | Make | GraphQl => &HASH,
            Json => &JSON,
            Ini => &INI,
            Xml | Html => &MARKUP,
            Css => &STYLE,
            Terraform => &HCL,
            Markdown | Text | Other => &PLAIN,
        }
    }
}
