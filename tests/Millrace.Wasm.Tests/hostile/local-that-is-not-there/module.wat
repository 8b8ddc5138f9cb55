(module (func (export "run") (local.set 7 (i32.const 1))))
