(module
  (type $a (struct (field i64)))
  (func (export "run") (result i32)
    (i32.wrap_i64 (struct.get $a 0 (ref.cast (ref $a) (ref.i31 (i32.const 0x1234567)))))))
