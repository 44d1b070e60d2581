//! A connection on which one request follows the other.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::answer::Answer;
use crate::support::PATIENCE;

/// Requests that are sent before the first answer is read.
pub(crate) const AT_ONCE: usize = 16;

/// A connection that begins anew where the server closes it.
pub(crate) struct Line {
    address: SocketAddr,
    socket: Option<TcpStream>,
    came: Vec<u8>,
}

impl Line {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, socket: None, came: Vec::new() }
    }

    /// Sends a request and reads its answer; `is_head`: it asks by HEAD.
    ///
    /// # Errors
    /// No answer, or one that is not by the letter.
    pub(crate) fn ask(&mut self, request: &[u8], is_head: bool) -> Result<Answer, String> {
        self.send(request).and_then(|()| self.answer(is_head))
    }

    /// Sends requests that all are answered, many of them at once, and gives the answers in their order.
    ///
    /// # Errors
    /// No answer, or one that is not by the letter, or the connection closes.
    pub(crate) fn ask_all(&mut self, requests: &[Vec<u8>]) -> Result<Vec<Answer>, String> {
        let mut answers = Vec::new();
        for some in requests.chunks(AT_ONCE) {
            self.send(&some.concat())?;
            for _ in some {
                answers.push(self.answer(false)?);
                if self.socket.is_none() {
                    return Err(format!("it closes behind {answers:?}"));
                }
            }
        }
        Ok(answers)
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        let connect = || -> io::Result<TcpStream> {
            let socket = TcpStream::connect_timeout(&self.address, PATIENCE)?;
            socket.set_read_timeout(Some(PATIENCE))?;
            socket.set_nodelay(true)?;
            Ok(socket)
        };
        if self.socket.is_none() {
            self.socket = Some(connect().map_err(|error| format!("connect: {error}"))?);
        }
        let socket = self.socket.as_mut().expect("it is there");
        socket.write_all(bytes).map_err(|error| format!("send: {error}"))
    }

    fn answer(&mut self, is_head: bool) -> Result<Answer, String> {
        let socket = self.socket.as_mut().expect("it is there");
        let mut buffer = [0; 8192];
        loop {
            if let Some((answer, used)) = Answer::take(&self.came, is_head)? {
                self.came.drain(..used);
                if answer.closes() {
                    self.socket = None;
                }
                return Ok(answer);
            }
            match socket.read(&mut buffer) {
                Ok(0) => return Err(format!("the connection ended behind {}", self.came.escape_ascii())),
                Ok(read) => self.came.extend_from_slice(&buffer[..read]),
                Err(error) => return Err(format!("no answer: {error}; came: {}", self.came.escape_ascii())),
            }
        }
    }
}
