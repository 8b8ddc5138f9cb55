//! What the rules say.

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Secret,
    SqlInjection,
    ShellInjection,
    RemovedCheck,
    RemovedTest,
    SwallowedError,
    UnsafeCrypto,
    Dependency,
    CiBuild,
    Migration,
    ApiBreak,
    Resource,
}

impl Kind {
    pub const ALL: [Kind; 12] = [
        Kind::Secret,
        Kind::SqlInjection,
        Kind::ShellInjection,
        Kind::RemovedCheck,
        Kind::RemovedTest,
        Kind::SwallowedError,
        Kind::UnsafeCrypto,
        Kind::Dependency,
        Kind::CiBuild,
        Kind::Migration,
        Kind::ApiBreak,
        Kind::Resource,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Secret => "secret",
            Kind::SqlInjection => "sql-injection",
            Kind::ShellInjection => "shell-injection",
            Kind::RemovedCheck => "removed-check",
            Kind::RemovedTest => "removed-test",
            Kind::SwallowedError => "swallowed-error",
            Kind::UnsafeCrypto => "unsafe-crypto",
            Kind::Dependency => "dependency",
            Kind::CiBuild => "ci-build",
            Kind::Migration => "migration",
            Kind::ApiBreak => "api-break",
            Kind::Resource => "resource",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    pub fn name(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    Left,
    Right,
}

impl Side {
    pub fn name(self) -> &'static str {
        match self {
            Side::Left => "LEFT",
            Side::Right => "RIGHT",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub kind: Kind,
    pub severity: Severity,
    /// Name of the rule, stable over versions.
    pub rule: &'static str,
    pub file: String,
    pub line: u32,
    pub side: Side,
    /// The whole line. It may hold a secret: mask it before it is shown.
    pub quote: String,
    pub message: String,
    /// How sure and how grave, 0 to 100; findings come in this order.
    pub score: u32,
}
