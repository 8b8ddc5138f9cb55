(module
  (type $a (array (mut i8)))
  (func (export "run") (result i32) (array.len (array.new_default $a (i32.const 100000000)))))
