(module
  (type $a (array i8))
  (func (export "run") (result i32)
    (array.get_u $a (array.new_default $a (i32.const 7)) (i32.const 7))))
