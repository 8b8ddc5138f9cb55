(module (table 1 funcref) (func (export "run") (call_indirect (i32.const 1))))
