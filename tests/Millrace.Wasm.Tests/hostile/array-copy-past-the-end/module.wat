(module (type $a (array (mut i32))) (func (export "run") (array.copy $a $a (array.new_default $a (i32.const 4)) (i32.const 2) (array.new_default $a (i32.const 9)) (i32.const 0) (i32.const 3))))
