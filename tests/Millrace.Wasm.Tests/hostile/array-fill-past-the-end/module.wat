(module
  (type $a (array (mut i8)))
  (global $a (ref $a) (array.new_default $a (i32.const 16)))
  (func (export "run") (array.fill $a (global.get $a) (i32.const 8) (i32.const 1) (i32.const 9)))
  (func (export "check") (result i32) (array.get_u $a (global.get $a) (i32.const 8))))
