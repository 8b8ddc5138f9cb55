(module
  (type $a (sub (struct (field i32))))
  (type $b (sub $a (struct (field i32) (field i64))))
  (func (export "run") (result i32)
    (i32.wrap_i64 (struct.get $b 1 (ref.cast (ref $b) (struct.new $a (i32.const 1)))))))
