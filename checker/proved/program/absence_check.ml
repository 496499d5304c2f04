(* What of a certificate the proved checkers accept: a line for each fact. The files are named on standard input. With a
   second argument each line has after it the calls by which a fact of a claim was decided, each with a tab in front. *)

let read path =
  let channel = open_in_bin path in
  Fun.protect ~finally:(fun () -> close_in channel)
    (fun () -> really_input_string channel (in_channel_length channel))

let kind fact = Facts.text (Facts.get "kind" fact)

let answer check argument =
  try if check argument then "accepted" else "refused" with
  | Facts.Left _ -> "left"
  | Json.Malformed _ | Invalid_argument _ | Failure _ -> "refused"

(* One answer where several must be accepted. *)
let together lines =
  let some answer = List.exists (String.ends_with ~suffix:answer) lines in
  if some "refused" then "refused" else if some "left" then "left" else "accepted"

(* The calls since this was asked last, a line each; a question mark where one cannot be told, or there is none. *)
let told () =
  let calls = match Terms.taken () with [] -> [ "?" ] | calls -> calls in
  if !Terms.on then List.map (fun call -> "\t" ^ call) calls else []

let line kind check argument =
  let said = kind ^ " " ^ answer check argument in
  said :: told ()

let rec decide fact = match kind fact with
  (* What a solver found, and a fact about that. *)
  | "smt" when Facts.has "replay" fact ->
    let is_call said = String.starts_with ~prefix:"\t" said in
    let lines = line "smt" (List.assoc "smt" Table.kinds) fact @ decide (Facts.get "replay" fact) in
    let calls, answers = List.partition is_call lines in
    ("smt " ^ together answers) :: calls
  | "all" ->
    let facts = Facts.list (Facts.get "facts" fact) in
    if facts = [] then raise (Json.Malformed "no fact at all");
    let relations = if Facts.has "compared" fact then Facts.list (Facts.get "compared" fact) else [] in
    List.concat_map decide facts
    @ List.concat_map (line "compared" (Table.compared facts)) relations
  | name -> match List.assoc_opt name Table.kinds with None -> [ name ^ " left" ] | Some check -> line name check fact

(* The fact, with the text of the script that lies beside it. *)
let with_script folder fact = match fact with
  | Json.Record fields when kind fact = "smt" ->
    let name = Facts.text (Facts.get "file" fact) in
    if Filename.basename name <> name then raise (Json.Malformed "the script lies elsewhere");
    let script = read (Filename.concat folder name) in
    if Sha256.hexadecimal script <> Facts.text (Facts.get "sha256" fact) then
      raise (Json.Malformed "the script is another");
    Json.Record (("script", Json.Text script) :: List.remove_assoc "script" fields)
  | _ -> fact

(* The seconds that an audit may take, from the command line; what is not decided by then is left. *)
let limit = if Array.length Sys.argv > 1 then float_of_string Sys.argv.(1) else infinity
let () = Terms.on := Array.length Sys.argv > 2

(* To be called with the seconds that something will take: it leaves what would end too late. *)
let beyond () =
  let ends = Sys.time () +. limit in
  fun seconds -> if Sys.time () +. seconds > ends then raise (Facts.Left "out of time")

let certificate path =
  let found = Json.parse (read path) in
  let folder = Filename.dirname path in
  if Facts.has "fact" found then decide (with_script folder (Facts.get "fact" found))
  else Folders.decide folder found (beyond ())

let () =
  try
    while true do
      let path = input_line stdin in
      let lines =
        try certificate path with
        | Json.Malformed reason -> [ "malformed " ^ reason ]
        | Invalid_argument _ | Not_found | Failure _ -> [ "malformed a file in it is" ]
        | Sys_error reason -> [ "malformed " ^ reason ]
        | End_of_file -> [ "malformed the file ended while it was read" ]
        | Stack_overflow | Out_of_memory -> [ "malformed it is too large" ] in
      List.iter print_endline lines;
      print_endline "";
      flush stdout
    done
  with End_of_file -> ()
