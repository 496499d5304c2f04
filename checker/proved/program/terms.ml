(* Calls of the functions that Coq extracted, told as terms of Coq, so that its kernel can compute them again. *)

let on = ref false
let said = ref []
let whole = ref true

let bool b = if b then "true" else "false"
let big_int z = Printf.sprintf "(%s)%%Z" (Big_int_Z.string_of_big_int z)
let whole_number z = Printf.sprintf "(%s)" (Big_int_Z.string_of_big_int z)
let natural n = Printf.sprintf "%d%%nat" n
let tuple parts = "(" ^ String.concat ", " parts ^ ")"
let apply name parts = "(" ^ String.concat " " (name :: parts) ^ ")"
let field name value = name ^ " := " ^ value
let record fields = "{| " ^ String.concat "; " fields ^ " |}"
let list one = function [] -> "[::]" | values -> "[:: " ^ String.concat "; " (List.map one values) ^ "]"
let option one = function None -> "None" | Some value -> apply "Some" [ one value ]

let fraction above below =
  Printf.sprintf "(Qmake (%s) %s)" (Big_int_Z.string_of_big_int above) (Big_int_Z.string_of_big_int below)

(* A call is a line: the name, the arguments and the value, with tabs between. *)
let say name arguments value = said := String.concat "\t" ((name :: arguments) @ [ value ]) :: !said

(* A call of which no term can be told. *)
let missing () = whole := false

(* What was said since this was asked last; nothing, if something is missing. *)
let taken () =
  let found = if !whole then List.rev !said else [] in
  said := [];
  whole := true;
  found
