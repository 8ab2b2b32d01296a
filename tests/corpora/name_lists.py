"""Common family and given names of six groups of languages, as registers and passports spell them; plain facts, most frequent first.

Where a name has a native form it stands behind a slash. Persons are drawn from these by `tests.corpora.persons`, with shares that fall
with the place in the list. Nothing here is known to the code that is tested.
"""

from typing import Final

KHMER_FAMILY: Final = """Sok/សុខ Chan/ចាន់ Chea/ជា Kim/គឹម Heng/ហេង Sou/ស៊ូ Ly/លី Meas/មាស Keo/កែវ
Ouk/អ៊ុក Sam/សំ Kong/គង់ Chhim/ឈឹម Pich/ពេជ្រ Nhem/ញ៉ែម Yim/យឹម Seng/សេង Long/ឡុង Prak/ប្រាក់
Mao/ម៉ៅ Touch/ទូច Ros/រស់ Khieu/ខៀវ Hun/ហ៊ុន Mom/ម៉ម Sin/ស៊ិន Tep/ទេព Um/អ៊ុំ Phan/ផាន
Svay/ស្វាយ Eng/អេង Chhay/ឆាយ Kheng/ខេង Lim/លឹម Nop/នព Pen/ប៉ែន Suon/សួន Thy/ធី Var/វ៉ា Vong/វង្ស
Yin/យិន Chheang/ឈាង Duong/ឌួង Hor/ហោ Im/អ៊ឹម Khat/ខាត់ Lon/លន់ Mean/មាន Neang/នាង Oum/អ៊ុំ
Phok/ផុក Rath/រ័ត្ន Sar/សារ Tan/តាន់ Ung/អ៊ឹង Yos/យស់ Chum/ជុំ Hak/ហាក់ Koy/កុយ Mok/ម៉ុក
Nuon/នួន Penh/ពេញ Say/សាយ Thach/ថាច់ Un/អ៊ុន Yem/យ៉ែម Som/សោម San/សាន Pov/ពៅ Tith/ទិត្យ"""
KHMER_MALE: Final = """Sopheap/សុភាព Dara/ដារ៉ា Vuthy/វុទ្ធី Samnang/សំណាង Rithy/រិទ្ធី
Piseth/ពិសិដ្ឋ Sokha/សុខា Vannak/វណ្ណៈ Chanthou/ចាន់ធូ Bunthoeun/ប៊ុនធឿន Kosal/កុសល Makara/មករា
Narin/ណារិន Phearun/ភារុណ Ratanak/រតនៈ Sambath/សម្បត្តិ Thavrak/ថាវរៈ Veasna/វាសនា Virak/វីរៈ
Bora/បូរ៉ា Chamroeun/ចំរើន Dina/ឌីណា Kimsan/គឹមសាន Lyheng/លីហេង Menghour/ម៉េងហួរ Nimol/និមល
Oudom/ឧត្តម Panha/បញ្ញា Rattana/រតនា Sarath/សារ៉ាត់ Seyha/សីហា Sothea/សុធា Thearith/ធារិទ្ធ
Tola/តុលា Udom/ឧត្ដម Vichea/វិជ្ជា Visal/វិសាល Borey/បូរី Chetra/ចេត្រា Davuth/ដាវុធ
Hengly/ហេងលី Kakada/កក្កដា Khemara/ខេមរា Monirith/មុនីរិទ្ធ Pheakdey/ភក្ដី Phirun/ភិរុណ
Reaksmey/រស្មី Sovann/សុវណ្ណ Sophal/សុផល Sophat/សុផាត Sothy/សុធី Soriya/សុរិយា Thy/ធី
Vireak/វិរៈ Sereyvuth/សិរីវុធ Bunnarith/ប៊ុណ្ណារិទ្ធ Chanrith/ចាន់រិទ្ធ"""
KHMER_FEMALE: Final = """Sreymom/ស្រីមុំ Sophea/សុភា Bopha/បុប្ផា Channary/ចាន់ណារី Sreypov/ស្រីពៅ
Kunthea/គន្ធា Chanthy/ចាន់ធី Phalla/ផល្លា Rachana/រចនា Sokunthea/សុគន្ធា Thida/ធីតា Theary/ធារី
Vanna/វណ្ណា Sreyneang/ស្រីនាង Leakena/លក្ខិណា Malis/ម្លិះ Mealea/មាលា Navy/ណាវី Pisey/ពិសី
Pheap/ភាព Rasmey/រស្មី Romdoul/រំដួល Samphors/សម្ផស្ស Socheata/សុជាតា Sokhom/សុខុម Sophorn/សុភ័ណ
Sopheary/សុភារី Sotheary/សុធារី Sreyleak/ស្រីល័ក្ខ Sreynich/ស្រីនិច Thavy/ថាវី Tevy/ទេវី
Vicheka/វិច្ឆិកា Bonavy/បុណ្ណាវី Chakriya/ចរិយា Chenda/ចិន្តា Dalin/ដាលីន Kalyan/កល្យាណ
Kolab/កុលាប Kannika/កណ្ណិកា Maly/ម៉ាលី Mony/មុនី Nary/នារី Phary/ផារី Pich/ពេជ្រ Ratha/រដ្ឋា
Sokla/សុខឡា Sovanna/សុវណ្ណា Sreymao/ស្រីម៉ៅ Sreyroth/ស្រីរ័ត្ន Davin/ដាវីន Devy/ទេវី Kanha/កញ្ញា
Lina/លីណា"""

THAI_FAMILY_FIRST: Final = """Siri/ศิริ Wong/วงศ์ Chai/ชัย Thong/ทอง Boon/บุญ Suk/สุข Phan/พันธ์
Rat/รัตน์ Kaew/แก้ว Sri/ศรี Char/จารุ Pra/ประ Kit/กิตติ Sawat/สวัสดิ์ Intha/อินทร์ Chan/จันทร์
Phet/เพชร Nak/นาค Thep/เทพ Wira/วีระ Som/สม Udom/อุดม Yot/ยอด Mani/มณี Phum/ภูมิ Saeng/แสง
Khun/คุณ Lert/เลิศ Mongkhon/มงคล Narong/ณรงค์ Ruang/เรือง Tan/ตัน Decha/เดชา Anan/อนันต์ Bua/บัว
Klin/กลิ่น Mee/มี Noi/น้อย Pan/ปาน Thip/ทิพย์"""
THAI_FAMILY_LAST: Final = """wong/วงศ์ chai/ชัย rat/รัตน์ suk/สุข sakun/สกุล phan/พันธ์ dee/ดี
sawat/สวัสดิ์ phong/พงศ์ thong/ทอง mongkhon/มงคล charoen/เจริญ phat/พัฒน์ kun/กุล wattana/วัฒนา
phon/พร sombat/สมบัติ anan/อนันต์ det/เดช sri/ศรี prasert/ประเสริฐ rak/รักษ์ thep/เทพ
wichai/วิชัย suwan/สุวรรณ kan/การ chot/โชติ sin/สิน ngam/งาม klang/กลาง"""
THAI_MALE: Final = """Somchai/สมชาย Somsak/สมศักดิ์ Prasert/ประเสริฐ Wichai/วิชัย Surachai/สุรชัย
Kittipong/กิตติพงษ์ Thanakorn/ธนากร Phongsakorn/พงศกร Narong/ณรงค์ Anucha/อนุชา Apichat/อภิชาติ
Arthit/อาทิตย์ Chaiwat/ชัยวัฒน์ Chakrit/ชาคริต Damrong/ดำรง Ekkachai/เอกชัย Jirawat/จิรวัฒน์
Kamon/กมล Kriangsak/เกรียงศักดิ์ Manop/มานพ Nattapong/ณัฐพงษ์ Nopparat/นพรัตน์ Panupong/ภาณุพงศ์
Pichai/พิชัย Pongpat/พงศ์พัฒน์ Prayut/ประยุทธ์ Rattanaphon/รัตนพล Sarawut/ศราวุธ
Sittichai/สิทธิชัย Suphachai/ศุภชัย Suthep/สุเทพ Tanawat/ธนวัฒน์ Teerapat/ธีรภัทร Thaksin/ทักษิณ
Thawatchai/ธวัชชัย Udom/อุดม Veerachai/วีรชัย Wanchai/วันชัย Weerasak/วีระศักดิ์
Wuttichai/วุฒิชัย Yongyut/ยงยุทธ Anan/อนันต์ Bancha/บัญชา"""
THAI_FEMALE: Final = """Siriporn/ศิริพร Somjai/สมใจ Malee/มาลี Wanida/วนิดา Kanya/กัญญา
Nattaya/ณัฐยา Pornthip/พรทิพย์ Ratchanee/รัชนี Sunisa/สุนิสา Suda/สุดา Supaporn/สุภาพร
Thitima/ฐิติมา Uraiwan/อุไรวรรณ Wilaiwan/วิไลวรรณ Yupin/ยุพิน Achara/อัจฉรา Benjawan/เบญจวรรณ
Chanida/ชนิดา Chutima/ชุติมา Duangjai/ดวงใจ Jintana/จินตนา Kamonwan/กมลวรรณ Kanchana/กาญจนา
Ladda/ลัดดา Manee/มณี Naphat/นภัส Nipa/นิภา Orathai/อรทัย Panida/พนิดา Patcharee/พัชรี
Phatchara/พัชรา Pimchanok/พิมพ์ชนก Prapa/ประภา Rungnapa/รุ่งนภา Saowalak/เสาวลักษณ์
Sirikan/สิริกาญจน์ Sukanya/สุกัญญา Thanyarat/ธัญรัตน์ Urai/อุไร Wannee/วรรณี"""

VIETNAMESE_FAMILY: Final = """Nguyễn Trần Lê Phạm Hoàng Phan Vũ Đặng Bùi Đỗ Hồ Ngô Dương Lý Võ
Huỳnh Trương Đinh Lâm Đoàn Mai Trịnh Hà Cao Tạ Lương Đào Châu Quách Tô Thái Từ La Kiều Vương
Tăng Chu Nghiêm Triệu Mạc"""
VIETNAMESE_MALE_MIDDLE: Final = "Văn Đức Hữu Quang Minh Xuân Công Thanh Ngọc Đình Quốc Anh Tuấn Trọng Thành Hoàng Duy Việt Bá Gia"
VIETNAMESE_FEMALE_MIDDLE: Final = "Thị Ngọc Thu Thanh Kim Minh Hồng Phương Thúy Mai Bích Lan Mỹ Tuyết Diệu Quỳnh Khánh Hoài Cẩm"
VIETNAMESE_MALE: Final = """Hùng Dũng Minh Tuấn Hải Long Nam Sơn Thắng Cường Bình Đức Hiếu Hòa Huy
Khánh Khoa Kiên Lâm Lộc Mạnh Nghĩa Phong Phúc Quân Quang Quý Tài Tâm Tân Thành Thịnh Tiến Toàn
Trung Trí Tú Tùng Việt Vinh Vũ An Bảo Chiến Chung Công Cương Danh Đạt Điền Giang Hậu Hoàn Hưng
Khôi Khương Lợi Luân Nghị Nhân Ninh Phát Phước Sang Thái Thiện Thuận Toản Triều Trường Tường
Vương"""
VIETNAMESE_FEMALE: Final = """Hương Lan Hoa Mai Hồng Hạnh Linh Thảo Trang Thu Hà Nga Ngọc Nhung
Oanh Phương Quyên Tâm Thanh Thủy Thúy Trinh Tuyết Vân Yến Anh Ánh Bích Chi Châu Cúc Diễm Dung
Duyên Giang Hằng Hiền Hoài Huệ Huyền Khanh Kiều Lệ Liên Loan Ly My Mỹ Nguyệt Nhàn Nhi Nương
Phụng Quỳnh Sương Thắm Thơ Thoa Thương Trâm Trúc Uyên Vi Xuân"""

# Character, Pinyin, Hong Kong.
CHINESE_FAMILY: Final = """王/Wang/Wong 李/Li/Lee 张/Zhang/Cheung 刘/Liu/Lau 陈/Chen/Chan 杨/Yang/Yeung
黄/Huang/Wong 赵/Zhao/Chiu 吴/Wu/Ng 周/Zhou/Chow 徐/Xu/Tsui 孙/Sun/Suen 马/Ma/Ma 朱/Zhu/Chu 胡/Hu/Wu
郭/Guo/Kwok 何/He/Ho 林/Lin/Lam 高/Gao/Ko 罗/Luo/Lo 郑/Zheng/Cheng 梁/Liang/Leung 谢/Xie/Tse 宋/Song/Sung
唐/Tang/Tong 许/Xu/Hui 邓/Deng/Tang 冯/Feng/Fung 韩/Han/Hon 曹/Cao/Tso 曾/Zeng/Tsang 彭/Peng/Pang
萧/Xiao/Siu 蔡/Cai/Choi 潘/Pan/Poon 田/Tian/Tin 董/Dong/Tung 袁/Yuan/Yuen 于/Yu/Yu 余/Yu/Yu 叶/Ye/Yip
蒋/Jiang/Tseung 杜/Du/To 苏/Su/So 魏/Wei/Ngai 程/Cheng/Ching 吕/Lu/Lui 丁/Ding/Ting 沈/Shen/Shum
任/Ren/Yam 姚/Yao/Yiu 卢/Lu/Lo 傅/Fu/Fu 钟/Zhong/Chung 姜/Jiang/Keung 崔/Cui/Chui 谭/Tan/Tam 廖/Liao/Liu
范/Fan/Fan 汪/Wang/Wong 陆/Lu/Luk 金/Jin/Kam 石/Shi/Shek 戴/Dai/Tai 贾/Jia/Ka 夏/Xia/Ha 邱/Qiu/Yau
方/Fang/Fong 侯/Hou/Hau 邹/Zou/Chau 熊/Xiong/Hung 孟/Meng/Mang 秦/Qin/Chun 白/Bai/Pak 江/Jiang/Kong
薛/Xue/Sit 尹/Yin/Wan 雷/Lei/Lui 黎/Li/Lai 史/Shi/Sze 龙/Long/Lung 贺/He/Ho 顾/Gu/Koo 毛/Mao/Mo 郝/Hao/Hok
龚/Gong/Kung 邵/Shao/Siu"""
CHINESE_GIVEN: Final = """伟/Wei/Wai 芳/Fang/Fong 敏/Min/Man 静/Jing/Ching 丽/Li/Lai 强/Qiang/Keung
磊/Lei/Lui 军/Jun/Kwan 洋/Yang/Yeung 勇/Yong/Yung 艳/Yan/Yim 杰/Jie/Kit 娟/Juan/Kuen 涛/Tao/To
明/Ming/Ming 超/Chao/Chiu 秀/Xiu/Sau 霞/Xia/Ha 平/Ping/Ping 刚/Gang/Kong 桂/Gui/Kwai 英/Ying/Ying
华/Hua/Wah 玉/Yu/Yuk 兰/Lan/Lan 红/Hong/Hung 建/Jian/Kin 国/Guo/Kwok 文/Wen/Man 志/Zhi/Chi 海/Hai/Hoi
春/Chun/Chun 晓/Xiao/Hiu 小/Xiao/Siu 龙/Long/Lung 飞/Fei/Fei 鹏/Peng/Pang 辉/Hui/Fai 波/Bo/Po 斌/Bin/Pan
宇/Yu/Yu 浩/Hao/Ho 凯/Kai/Hoi 健/Jian/Kin 俊/Jun/Chun 帆/Fan/Fan 雪/Xue/Suet 婷/Ting/Ting 梅/Mei/Mui
琳/Lin/Lam 慧/Hui/Wai 莉/Li/Lei 玲/Ling/Ling 燕/Yan/Yin 丹/Dan/Tan 萍/Ping/Ping 鑫/Xin/Yam 欣/Xin/Yan
怡/Yi/Yee 家/Jia/Ka 嘉/Jia/Ka 佳/Jia/Kai 美/Mei/Mei 天/Tian/Tin 德/De/Tak 福/Fu/Fuk 光/Guang/Kwong
荣/Rong/Wing 贵/Gui/Kwai 生/Sheng/Sang 东/Dong/Tung 永/Yong/Wing 新/Xin/Sun 立/Li/Lap 中/Zhong/Chung
振/Zhen/Chun 世/Shi/Sai 庆/Qing/Hing 成/Cheng/Shing 康/Kang/Hong 宁/Ning/Ning 安/An/On 思/Si/Sze 雨/Yu/Yu
月/Yue/Yuet 云/Yun/Wan 珍/Zhen/Chun 凤/Feng/Fung 淑/Shu/Suk 惠/Hui/Wai 清/Qing/Ching 瑞/Rui/Sui
祥/Xiang/Cheung 学/Xue/Hok 义/Yi/Yi 良/Liang/Leung 林/Lin/Lam 峰/Feng/Fung 阳/Yang/Yeung 子/Zi/Tsz
少/Shao/Siu 金/Jin/Kam 大/Da/Tai"""

INDIAN_FAMILY: Final = """Kumar/कुमार Singh/सिंह Sharma/शर्मा Devi/देवी Gupta/गुप्ता Patel/पटेल
Das/दास Yadav/यादव Khan Verma/वर्मा Reddy Mishra/मिश्रा Chaudhary/चौधरी Jha/झा Nair Pillai Iyer
Rao Mukherjee Banerjee Chatterjee Ghosh Bose Sen Roy Dutta Agarwal/अग्रवाल Jain/जैन Mehta/मेहता
Shah/शाह Desai Joshi/जोशी Kulkarni Deshmukh Patil Pawar Naidu Menon Krishnan Subramanian
Venkatesan Srinivasan Rajan Murugan Ganesan Balakrishnan Chandrasekaran Natarajan Thakur/ठाकुर
Tiwari/तिवारी Pandey/पांडे Dubey/दुबे Tripathi/त्रिपाठी Saxena/सक्सेना Srivastava/श्रीवास्तव
Kapoor/कपूर Malhotra Chopra Bhatia Gill Sandhu Dhillon Grewal Sidhu Ahmed Ali Hussain Ansari
Sheikh Mohanty Behera Sahoo Nayak Bhattacharya Chakraborty Majumdar Biswas Mondal Saha Goswami
Barua Borah Deka Fernandes DSouza Thomas Mathew Varghese Kurian Hegde Shetty Gowda Kamath Bhat"""
INDIAN_MALE: Final = """Rajesh/राजेश Sanjay/संजय Amit/अमित Vijay/विजय Suresh/सुरेश Ramesh/रमेश
Anil/अनिल Sunil/सुनील Manoj/मनोज Rakesh/राकेश Ashok/अशोक Deepak/दीपक Mukesh/मुकेश Rahul/राहुल
Ravi/रवि Dinesh/दिनेश Mahesh/महेश Mohammed Abdul Imran Arjun/अर्जुन Krishna/कृष्णा Ganesh/गणेश
Karthik Senthil Prakash/प्रकाश Vikas/विकास Vivek/विवेक Nitin/नितिन Pankaj/पंकज Ajay/अजय
Arun/अरुण Gopal/गोपाल Harish/हरीश Jagdish/जगदीश Kamal/कमल Lakshman/लक्ष्मण Mohan/मोहन
Naresh/नरेश Om/ओम Praveen/प्रवीण Rajiv/राजीव Sachin/सचिन Satish/सतीश Shankar/शंकर Subhash/सुभाष
Tarun/तरुण Umesh/उमेश Venkatesh Yogesh/योगेश Gurpreet Harpreet Manpreet Balwinder Jaswant
Debashish Subrata Sourav Anirban Biswajit Sreenivas Raghavendra Satyanarayana Chandrashekhar"""
INDIAN_FEMALE: Final = """Sunita/सुनीता Anita/अनीता Rekha/रेखा Geeta/गीता Seema/सीमा Pooja/पूजा
Priya/प्रिया Kavita/कविता Neha/नेहा Lakshmi/लक्ष्मी Sita/सीता Meena/मीना Usha/उषा Asha/आशा
Lata/लता Savita/सविता Sangeeta/संगीता Jyoti/ज्योति Kiran/किरण Manju/मंजू Nisha/निशा Poonam/पूनम
Radha/राधा Rani/रानी Shanti/शांति Sarita/सरिता Sushila/सुशीला Vandana/वंदना Fatima Ayesha Zainab
Shabnam Deepika/दीपिका Divya/दिव्या Aishwarya Swathi Revathi Saraswathi Padma Bhavani
Kamala/कमला Vimala/विमला Gayatri/गायत्री Parvati/पार्वती Amrita/अमृता Harleen Simran Jaspreet
Ananya Moumita Sharmila Sudeshna"""

LATIN_FAMILY: Final = """Smith Jones Williams Taylor Brown Davies Evans Wilson Thomas Johnson
Roberts Robinson Thompson Wright Walker White Edwards Hughes Green Hall Lewis Harris Clarke
Patterson Jackson Wood Turner Martin Cooper Hill Ward Morris Moore Clark Baker Harrison King
Morgan Allen James Scott Phillips Watson Davis Parker Bennett Price Griffiths Young Mitchell
Kelly Cook Carter Richardson Bailey Collins Bell Shaw Murphy Miller Cox Richards Marshall
Anderson Simpson Ellis Adams Singleton MacDonald Campbell Stewart O'Brien O'Connor Fitzgerald
Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer
Richter Klein Schröder Neumann Krüger Hartmann Lange Schmitt Krause Böhm Lefèvre Dubois Durand
Moreau Laurent Girard Rousseau Fournier Bertrand García Rodríguez González Fernández López
Martínez Sánchez Pérez Gómez Jiménez Muñoz Álvarez Rossi Russo Ferrari Esposito Bianchi Romano
Colombo Ricci Marino Silva Santos Ferreira Pereira Oliveira Costa Jansen Bakker Visser Smit
Mulder Vries Andersson Johansson Karlsson Nilsson Eriksson Larsson Jørgensen Sørensen Nielsen
Hansen Kowalski Nowak Wiśniewski Wójcik Kowalczyk Zieliński Novák Svoboda Horváth Nagy Szabó
Popescu Ionescu Petrov Ivanov Sokolov Kuznetsov Volkov Whitehouse Featherstone Thornton
Blackwood Ashworth Pemberton Hargreaves Sutcliffe Entwistle Ramsbottom Cholmondeley Wetherby
Longfellow Kingsley Haverford"""
LATIN_MALE: Final = """James John Robert Michael William David Richard Joseph Thomas Charles
Christopher Daniel Matthew Anthony Mark Donald Steven Paul Andrew Joshua Kenneth Kevin Brian
George Timothy Ronald Edward Jason Jeffrey Ryan Jacob Gary Nicholas Eric Jonathan Stephen Larry
Justin Scott Brandon Benjamin Samuel Gregory Alexander Patrick Frank Raymond Jack Dennis Jerry
Peter Walter Karl Hans Wolfgang Klaus Jürgen Dieter Heinz Günther Stefan Andreas Jean Pierre
Michel Philippe Alain Bernard Luc François José Antonio Manuel Francisco Juan Carlos Luis Miguel
Giovanni Giuseppe Marco Luca Paolo João Pedro Lars Erik Anders Björn Søren Piotr Krzysztof
Tomasz Jan Ivan Sergei Dmitri Nikolai Aleksandr Geoffrey Graham Nigel Trevor Clive Barry Keith"""
LATIN_FEMALE: Final = """Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen
Lisa Nancy Betty Sandra Margaret Ashley Kimberly Emily Donna Michelle Carol Amanda Melissa
Deborah Stephanie Rebecca Laura Sharon Cynthia Kathleen Amy Angela Shirley Anna Brenda Pamela
Emma Nicole Helen Samantha Katherine Christine Rachel Carolyn Janet Catherine Maria Heather
Diane Ursula Monika Petra Sabine Renate Hélène Françoise Sylvie Carmen Josefa Isabel Giulia
Francesca Chiara Ingrid Astrid Karin Agnieszka Małgorzata Olga Tatiana Natalia Svetlana Gillian"""
