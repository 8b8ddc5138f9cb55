(module (func (export "run") (block $done (try_table (catch_all $done) (unreachable)))))
