(module
  (type $a (array (mut i16)))
  (func (export "run") (local $a (ref $a))
    (local.set $a (array.new_default $a (i32.const 16)))
    (array.copy $a $a (local.get $a) (i32.const 1) (local.get $a) (i32.const 0) (i32.const -1))))
