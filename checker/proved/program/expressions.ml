(* Words and brackets of SMT-LIB. What is here only reads: it decides nothing. *)

type expression = Word of string | Group of expression list

(* The expressions of a text; a comment goes from ; to the end of its line. *)
let read script =
  let size = String.length script in
  let rec past inside at = if at < size && inside script.[at] then past inside (at + 1) else at in
  let of_word c = not (String.contains " \t\r\n();|\"" c) in
  (* Those up to the next bracket that closes, or to the end; and where that is. *)
  let rec several kept at =
    if at = size then (List.rev kept, at) else match script.[at] with
      | ' ' | '\t' | '\r' | '\n' -> several kept (at + 1)
      | ';' -> several kept (past ((<>) '\n') at)
      | '(' ->
        let found, closed = several [] (at + 1) in
        if closed = size then Facts.malformed "a bracket is not closed";
        several (Group found :: kept) (closed + 1)
      | ')' -> (List.rev kept, at)
      | '|' | '"' -> Facts.malformed "an unexpected character"
      | _ -> let next = past of_word at in several (Word (String.sub script at (next - at)) :: kept) next in
  let found, closed = several [] 0 in
  if closed < size then Facts.malformed "a bracket too many";
  found
