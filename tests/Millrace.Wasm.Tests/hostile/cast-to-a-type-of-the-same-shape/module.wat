(module
  (rec (type $a (struct (field i32))) (type $b (struct (field i32) )))
  (func (export "run") (result i32)
    (struct.get $b 0 (ref.cast (ref $b) (struct.new $a (i32.const 1))))))
