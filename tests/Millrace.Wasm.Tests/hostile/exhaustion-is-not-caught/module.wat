(module (func $f (block $done (try_table (catch_all $done) (call $f)))) (func (export "run") (call $f)))
