(module (func $f (call $f) (call $f)) (start $f) (func (export "run")))
