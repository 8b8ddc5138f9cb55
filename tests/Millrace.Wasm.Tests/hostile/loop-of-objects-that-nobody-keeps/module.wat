(module (type $n (struct (field i64))) (func (export "run") (loop $l (drop (struct.new $n (i64.const 1))) (br $l))))
