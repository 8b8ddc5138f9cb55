(module (tag $e) (func (export "run") (loop $l (block $caught (try_table (catch $e $caught) (throw $e))) (br $l))))
