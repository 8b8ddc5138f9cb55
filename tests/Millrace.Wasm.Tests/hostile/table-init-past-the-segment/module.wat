(module (table $t 10 funcref) (elem $e func $f) (func $f) (func (export "run") (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 2))))
