(module (func (export "run") (result i32) {{900|(block }}{{900|)}} (i32.const 7)))
