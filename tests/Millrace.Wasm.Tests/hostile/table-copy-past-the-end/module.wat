(module (table $t 10 funcref) (func (export "run") (table.copy $t $t (i32.const 5) (i32.const 0) (i32.const 6))))
