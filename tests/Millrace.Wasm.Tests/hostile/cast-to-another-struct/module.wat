(module (type $a (struct (field i32))) (type $b (struct (field i64))) (func (export "run") (drop (ref.cast (ref $b) (struct.new $a (i32.const 1))))))
