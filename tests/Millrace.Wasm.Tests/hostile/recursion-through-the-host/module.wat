(module (import "host" "again" (func $again)) (func (export "run") (call $again)))
