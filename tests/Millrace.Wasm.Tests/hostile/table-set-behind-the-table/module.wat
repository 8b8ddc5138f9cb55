(module (table $t 1 funcref) (func (export "run") (table.set $t (i32.const 1) (ref.null func))))
