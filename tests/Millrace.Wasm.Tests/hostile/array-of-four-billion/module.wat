(module
  (type $a (array (mut i64)))
  (func (export "run") (result i32) (array.len (array.new_default $a (i32.const -1)))))
