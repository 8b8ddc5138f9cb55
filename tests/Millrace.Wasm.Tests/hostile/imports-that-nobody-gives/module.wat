(module (import "env" "a" (func)) (import "env" "b" (func)) (func (export "run")))
