(module
  (type $a (struct {{9000|(field i64)}} (field $last (mut i64))))
  (func (export "run") (result i32) (i32.wrap_i64 (struct.get $a $last (ref.null $a)))))
