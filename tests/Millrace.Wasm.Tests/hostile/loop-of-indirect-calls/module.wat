(module (table funcref (elem $f)) (func $f) (func (export "run") (loop $l (call_indirect (i32.const 0)) (br $l))))
