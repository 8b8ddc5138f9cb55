(module (type $v (func (result i64))) (table funcref (elem $f)) (func $f (param i32) (result i32) (local.get 0)) (func (export "run") (drop (call_indirect (type $v) (i32.const 0)))))
